import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { callsOf, planBody } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
});
afterAll(() => backend.close());

const count = (answers: { status: number }[], status: number) => answers.filter((one) => one.status === status).length;

test('of many drafts of one key at once, one is made', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => calls.call('POST', '/plans', planBody('drafts'))));
  expect([count(answers, 201), count(answers, 400)]).toEqual([1, 19]);
});

test('of many edits and publications of one draft at once, one publication succeeds, and no edit comes after it', async () => {
  const { id } = await calls.createPlan('at_once');
  const { key, currency, billing_cadence, ...change } = planBody('at_once');
  const indexes = Array.from({ length: 10 }, (_, index) => index);
  const edits = indexes.map((index) => calls.call('PUT', `/plans/${id}`, { ...change, name: `edit ${index}` }));
  const publications = indexes.map(() => calls.call('POST', `/plans/${id}/publish`));
  const answers = await Promise.all(publications);
  expect([count(answers, 200), count(answers, 400)]).toEqual([1, 9]);
  const edited = await Promise.all(edits);
  expect(count(edited, 200) + count(edited, 400)).toBe(10);
  expect(await calls.ok('GET', `/plans/${id}`)).toEqual(answers.find(({ status }) => status === 200)?.json);
});

test('two backends on one database publish one plan: never two active versions, and what is published stays', async () => {
  const rounds = 8;
  const publishers = ['a', 'bb'].map((name) => startPublisher(name, rounds));
  try {
    for (const { line } of publishers) expect(await line()).toBe('ready');
    for (const { child } of publishers) child.stdin.end('go\n');
    const told = await Promise.all(
      publishers.map(async ({ line }) => JSON.parse(await line()) as { published: Json[] }),
    );
    const published = new Map(told.flatMap((one) => one.published.map((plan) => [plan.id, plan])));
    expect(published.size).toBe(2 * rounds);
    const { data } = await calls.ok('GET', '/plans?filter[key]=contested&sort=version&page[size]=1000');
    const inForce = data.filter((plan: Json) => plan.effective_from !== undefined);
    expect(inForce).toHaveLength(published.size);
    for (const [index, plan] of inForce.entries()) {
      const { effective_to, updated_at, status, ...kept } = plan;
      expect(published.get(plan.id)).toMatchObject(kept);
      // Each begins where the one before ends, and only the last has no end.
      expect(effective_to).toBe(inForce[index + 1]?.effective_from);
    }
  } finally {
    for (const { child } of publishers) child.kill();
  }
});

/** A backend of its own on our control database; says "ready", and after "go" publishes and tells what. */
function startPublisher(name: string, rounds: number) {
  const script = fileURLToPath(new URL('concurrent-publisher.ts', import.meta.url));
  const args = [script, backend.dataDir, name, String(rounds)];
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, args);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done !== true) return value;
    if (child.exitCode === null) await once(child, 'exit');
    throw new Error(`${name} ended with ${child.exitCode}: ${complaint}`);
  };
  return { child, line };
}
