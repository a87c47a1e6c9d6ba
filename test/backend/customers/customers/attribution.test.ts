import { afterEach, beforeEach, expect, test } from 'vitest';
import { UNKNOWN_ID } from '../../../support/answers.ts';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

let t: CustomersUnderTest;
beforeEach(() => {
  t = startCustomers();
});
afterEach(() => t.close());

const ref = ({ id, key, name }: { id: string; key: string; name: string }) => ({ id, key, name });
const entries = (map: ReadonlyMap<string, unknown>) => Object.fromEntries(map);

test('a subject belongs to the customer that has it as key or subject key', async () => {
  const acme = await t.create('acme', ['alice', 'bob']);
  const other = await t.create('other');
  const found = await t.customers.findBySubjects(['bob', 'other', 'acme', 'nobody', 'bob', acme.id, 'Alice']);
  expect(entries(found)).toEqual({ bob: ref(acme), other: ref(other), acme: ref(acme) });
  expect(entries(await t.customers.findBySubjects([]))).toEqual({});
});

test('the key’s owner wins over a subject key, whoever came first, until it is deleted', async () => {
  const owner = await t.create('shared');
  const other = await t.create('other', ['shared', 'own']);
  expect(entries(await t.customers.findBySubjects(['shared']))).toEqual({ shared: ref(owner) });
  expect(entries(await t.customers.findByIds([owner.id, other.id]))).toEqual({
    [owner.id]: { ...ref(owner), subjects: ['shared'] },
    [other.id]: { ...ref(other), subjects: ['other', 'own'] },
  });
  expect(entries(await t.customers.findAllSubjects())).toEqual({
    shared: ref(owner),
    other: ref(other),
    own: ref(other),
  });

  await t.call('DELETE', `/customers/${owner.id}`);
  expect(entries(await t.customers.findBySubjects(['shared']))).toEqual({ shared: ref(other) });
  expect(entries(await t.customers.findByIds([owner.id, other.id]))).toEqual({
    [owner.id]: { ...ref(owner), subjects: [] },
    [other.id]: { ...ref(other), subjects: ['other', 'shared', 'own'] },
  });
});

test('a deleted customer owns nothing, but is found by id with what nobody took over', async () => {
  const deleted = await t.create('acme', ['alice', 'bob', 'carol']);
  await t.call('DELETE', `/customers/${deleted.id}`);
  expect(entries(await t.customers.findBySubjects(['acme', 'alice']))).toEqual({});
  expect(entries(await t.customers.findAllSubjects())).toEqual({});
  await t.create('alice', ['bob']);
  expect(entries(await t.customers.findByIds([deleted.id, UNKNOWN_ID]))).toEqual({
    [deleted.id]: { ...ref(deleted), subjects: ['acme', 'carol'] },
  });
});

test('subjects are told as the customers are now', async () => {
  const first = await t.create('first', ['alice']);
  await t.call('PUT', `/customers/${first.id}`, { name: 'first', usage_attribution: { subject_keys: ['bob'] } });
  const second = await t.create('second', ['alice']);
  expect(entries(await t.customers.findBySubjects(['alice', 'bob']))).toEqual({ alice: ref(second), bob: ref(first) });
});

test('names that mean something in JavaScript and SQL are subjects like others', async () => {
  const subjects = [
    '__proto__',
    'constructor',
    "'; DROP TABLE customers; --",
    '%',
    '?',
    ' ',
    '\u{1F600}',
    '\u00e9',
    'e\u0301',
  ];
  const customer = await t.create('toString', subjects);
  const found = await t.customers.findBySubjects([...subjects, 'toString', 'hasOwnProperty']);
  expect([...found.keys()].toSorted()).toEqual(['toString', ...subjects].toSorted());
  expect((await t.customers.findByIds([customer.id])).get(customer.id)?.subjects).toEqual(['toString', ...subjects]);
});

test('more subjects and ids than one statement takes', async () => {
  const customers: { id: string; key: string; subjectKeys: string[] }[] = [];
  for (let index = 0; index < 25; index++) {
    const subjectKeys = Array.from({ length: 1000 }, (_, place) => `s${index}-${place}`);
    customers.push({ ...(await t.create(`c${index}`, subjectKeys)), subjectKeys });
  }
  const subjects = customers.flatMap(({ key, subjectKeys }) => [key, ...subjectKeys]);
  const found = await t.customers.findBySubjects([
    ...subjects,
    ...Array.from({ length: 20_000 }, (_, i) => `unknown-${i}`),
  ]);
  expect(found.size).toBe(subjects.length);
  for (const { id, key, subjectKeys } of customers) {
    for (const subject of [key, ...subjectKeys]) expect(found.get(subject)?.id).toBe(id);
  }
  const unknownIds = Array.from({ length: 40_000 }, (_, index) => `0${index}`.padEnd(26, '0'));
  const byId = await t.customers.findByIds([...unknownIds, ...customers.map(({ id }) => id)]);
  expect(byId.size).toBe(25);
  expect([...byId.values()].flatMap((customer) => customer.subjects).toSorted()).toEqual(subjects.toSorted());
});
