import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { createTestBackend, type TestBackend } from '../support/backend.ts';
import { planBody } from '../support/catalog/plans.ts';
import { fc } from '../support/property.ts';

const NUM_RUNS = process.env['LONG'] ? 500 : 12;
const STEPS = 25;

let backend: TestBackend;
let runs = 0;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

type State = 'draft' | 'active' | 'archived' | 'deleted';

/** What a version should be by now. */
interface Expected {
  id: string;
  state: State;
  name: string;
  /** What the publication answered, but for what may still change. */
  published?: Json;
}

type Step =
  | { do: 'create' }
  | { do: 'wait' }
  | { do: 'set clock back' }
  | { do: 'edit' | 'publish' | 'archive' | 'delete' | 'copy'; which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.constantFrom<Step>({ do: 'create' }, { do: 'create' }, { do: 'wait' }, { do: 'set clock back' }),
    fc.record({
      do: fc.constantFrom(
        'edit' as const,
        'publish' as const,
        'publish' as const,
        'archive' as const,
        'delete' as const,
        'copy' as const,
      ),
      // Mostly one of the latest versions.
      which: fc.oneof(fc.constant(0), fc.nat({ max: 3 })),
    }),
  ),
  { minLength: STEPS, maxLength: STEPS },
);

const call = (method: string, path: string, body?: unknown) =>
  backend.request(method, path, body === undefined ? {} : { body });

/** One plan and what its versions should be. */
function createModel(key: string) {
  const versions: Expected[] = [];
  let edits = 0;

  async function take(step: Step): Promise<void> {
    if (step.do === 'wait') return backend.clock.advanceMs(1500);
    if (step.do === 'set clock back') return backend.clock.advanceMs(-1000);
    if (step.do === 'create') return add(await call('POST', '/plans', content()), 400);
    const version = versions.at(-1 - step.which);
    if (version === undefined) return;
    const path = `/plans/${version.id}`;
    switch (step.do) {
      case 'edit': {
        const { key: _, currency, billing_cadence, ...change } = content();
        const { status } = await call('PUT', path, change);
        expect(status).toBe(version.state === 'deleted' ? 410 : version.state === 'draft' ? 200 : 400);
        if (status === 200) version.name = change.name;
        return;
      }
      case 'publish': {
        const { status, json } = await call('POST', `${path}/publish`);
        expect(status).toBe(version.state === 'draft' ? 200 : 400);
        if (status === 200) publish(version, json);
        return;
      }
      case 'archive': {
        const { status } = await call('POST', `${path}/archive`);
        expect(status).toBe(version.state === 'active' ? 200 : 400);
        if (status === 200) version.state = 'archived';
        return;
      }
      case 'delete': {
        const { status } = await call('DELETE', path);
        expect(status).toBe(version.state === 'active' ? 400 : 204);
        if (status === 204) version.state = 'deleted';
        return;
      }
      case 'copy': {
        const answer = await call('POST', `${path}/next`);
        if (version.state === 'deleted') expect(answer.status).toBe(400);
        else add(answer, 409, version.name);
      }
    }
  }

  function content(): Json {
    edits += 1;
    return planBody(key, { name: `edit ${edits}` });
  }

  function add({ status, json }: { status: number; json: Json }, refusal: number, name = `edit ${edits}`): void {
    const hasDraft = versions.some(({ state }) => state === 'draft');
    expect(status).toBe(hasDraft ? refusal : 201);
    if (hasDraft) return;
    expect(json).toMatchObject({ version: versions.length + 1, status: 'draft', name });
    versions.push({ id: json.id, state: 'draft', name });
  }

  function publish(version: Expected, { effective_to, updated_at, status, ...published }: Json): void {
    for (const other of versions) if (other.state === 'active') other.state = 'archived';
    version.state = 'active';
    version.published = published;
  }

  /** Every version is what it should be, and at no time two were in force. */
  function check(read: readonly Json[]): void {
    for (const plan of read) {
      const { state, name, published } = versions[plan.version - 1] as Expected;
      expect(plan).toMatchObject({ name, ...published });
      expect(plan.deleted_at === undefined ? plan.status : 'deleted').toBe(state);
    }
    const periods = read
      .filter((plan) => plan.effective_from !== undefined)
      .map(
        (plan) => [Date.parse(plan.effective_from), Date.parse(plan.effective_to ?? '9999-12-31T00:00:00Z')] as const,
      )
      // Replaced in the instant of its publication, a version was in force for no time: it comes first.
      .toSorted(([from, to], [otherFrom, otherTo]) => from - otherFrom || to - otherTo);
    for (const [index, [from, to]] of periods.entries()) {
      expect(to).toBeGreaterThanOrEqual(from);
      expect(periods[index + 1]?.[0] ?? to).toBeGreaterThanOrEqual(to);
    }
  }

  /** Living versions, in one request. */
  async function living(): Promise<Json[]> {
    const { json } = await call('GET', `/plans?filter[key]=${key}&page[size]=100`);
    // A server whose clock was ahead may have published, or archived, in our future: wait until that has come.
    const early = json.data.find((plan: Json) => plan.status === 'scheduled');
    const late = json.data.find((plan: Json) => plan.status === 'active' && plan.effective_to !== undefined);
    if (early === undefined && late === undefined) return json.data;
    backend.clock.set(early?.effective_from ?? late.effective_to);
    return living();
  }

  async function checkLiving(): Promise<void> {
    const read = await living();
    expect(read).toHaveLength(versions.filter(({ state }) => state !== 'deleted').length);
    check(read);
  }

  /** Deleted ones too. */
  async function checkAll(): Promise<void> {
    check(await Promise.all(versions.map(async ({ id }) => (await call('GET', `/plans/${id}`)).json)));
  }

  return { take, checkLiving, checkAll };
}

test('whatever is done to the versions of a plan, never two are in force, and what is published stays', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      runs += 1;
      const key = `random_${runs}`;
      const model = createModel(key);
      for (const step of list) {
        await model.take(step);
        await model.checkLiving();
      }
      await model.checkAll();
    }),
    { numRuns: NUM_RUNS },
  );
});
