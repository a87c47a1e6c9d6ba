import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';
import { fc } from '../../../support/property.ts';

/** Customers as the rules read, in memory: what the database must agree with after any history. */
interface ModelCustomer {
  id: string;
  key: string;
  subjectKeys: readonly string[];
  isDeleted: boolean;
}
type Model = ModelCustomer[];

const living = (model: Model) => model.filter((customer) => !customer.isDeleted);

const owner = (model: Model, subject: string): string | undefined =>
  (
    living(model).find((customer) => customer.key === subject) ??
    living(model).find((customer) => customer.subjectKeys.includes(subject))
  )?.id;

const isTaken = (model: Model, subjectKeys: readonly string[], exceptId?: string) =>
  living(model).some(
    (customer) => customer.id !== exceptId && customer.subjectKeys.some((key) => subjectKeys.includes(key)),
  );

const maySettle = (model: Model, key: string, subjectKeys: readonly string[]) =>
  !living(model).some((customer) => customer.key === key || customer.subjectKeys.includes(key)) &&
  !model.some((customer) => customer.id === key) &&
  !isTaken(model, subjectKeys);

type Step =
  | { kind: 'create'; key: string; subjectKeys: string[] }
  | { kind: 'create with an id as key'; of: number }
  | { kind: 'update'; of: number; subjectKeys: string[] | undefined }
  | { kind: 'delete'; of: number };

// Few enough that most steps meet an earlier customer.
const SUBJECTS = ['a', 'A', 'b', 'a ', 'c', '%', 'ab'];
const subject = fc.constantFrom(...SUBJECTS);
const subjectKeys = fc.uniqueArray(subject, { maxLength: 4 });
const of = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), key: subject, subjectKeys }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      of,
      subjectKeys: fc.option(subjectKeys, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), of }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('create with an id as key' as const), of }) },
);

let t: CustomersUnderTest;
beforeAll(() => {
  t = startCustomers();
});
afterAll(() => t.close());

test('any history of creations, changes and deletions leaves every subject with the owner that the rules name', async () => {
  const run = async (steps: readonly Step[]) => {
    const model: Model = [];
    for (const each of steps) {
      await apply(model, each);
      await compare(model);
    }
    // The next history starts without living customers; what is deleted must never matter.
    for (const { id } of living(model)) await t.customers.remove(id);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), run), { numRuns: 60 });
}, 300_000);

async function apply(model: Model, each: Step): Promise<void> {
  if (each.kind === 'create') return create(model, each.key, each.subjectKeys);
  const customer = model[each.of];
  if (customer === undefined) return;
  switch (each.kind) {
    case 'create with an id as key':
      return create(model, customer.id, []);
    case 'update':
      return update(model, customer, each.subjectKeys);
    case 'delete':
      expect((await t.call('DELETE', `/customers/${customer.id}`)).status).toBe(204);
      customer.isDeleted = true;
  }
}

async function create(model: Model, key: string, keys: string[]): Promise<void> {
  const body = { key, name: 'created', usage_attribution: { subject_keys: keys } };
  const { status, json } = await t.call('POST', '/customers', body);
  const isAllowed = maySettle(model, key, keys);
  expect(status).toBe(isAllowed ? 201 : 409);
  if (isAllowed) model.push({ id: json.id, key, subjectKeys: keys, isDeleted: false });
}

/** @param keys undefined: the request has no list, which takes all subject keys away */
async function update(model: Model, customer: ModelCustomer, keys: string[] | undefined): Promise<void> {
  const attribution = keys && { usage_attribution: { subject_keys: keys } };
  const { status } = await t.call('PUT', `/customers/${customer.id}`, { name: 'changed', ...attribution });
  if (customer.isDeleted) return expect(status).toBe(410);
  const isRefused = isTaken(model, keys ?? [], customer.id);
  expect(status).toBe(isRefused ? 409 : 200);
  if (!isRefused) customer.subjectKeys = keys ?? [];
}

async function compare(model: Model): Promise<void> {
  const all = [...SUBJECTS, ...model.map(({ id }) => id), 'unknown'];
  const expected = all.flatMap((each) => {
    const id = owner(model, each);
    return id === undefined ? [] : [[each, id]];
  });
  const ids = (found: ReadonlyMap<string, { id: string }>) =>
    Object.fromEntries([...found].map(([each, customer]) => [each, customer.id]));
  expect(ids(await t.customers.findBySubjects(all))).toEqual(Object.fromEntries(expected));
  expect(ids(await t.customers.findAllSubjects())).toEqual(Object.fromEntries(expected));

  const found = await t.customers.findByIds(model.map(({ id }) => id));
  for (const { id, key, subjectKeys: keys } of model) {
    const named = [...new Set([key, ...keys])];
    const theirs = named.filter((each) => (owner(model, each) ?? id) === id);
    expect(found.get(id)?.subjects).toEqual(theirs);
  }
}
