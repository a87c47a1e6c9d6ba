import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CustomersUnderTest, DATABASE_FILE, startCustomers } from '../../../support/customers/customers-alone.ts';

let t: CustomersUnderTest;
beforeEach(() => {
  t = startCustomers();
});
afterEach(() => t.close());

const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).toSorted();

test('of many creations with one key at once, one succeeds and the others conflict', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => t.call('POST', '/customers', { key: 'k', name: `n${index}` })),
  );
  expect(statuses(answers)).toEqual([201, ...Array(19).fill(409)]);
  expect(await t.keys()).toEqual(['k']);
});

test('of many changes that want one subject key at once, one succeeds and the others conflict', async () => {
  const customers: { id: string }[] = [];
  for (let index = 0; index < 20; index++) customers.push(await t.create(`c${index}`));
  const change = { name: 'n', usage_attribution: { subject_keys: ['wanted'] } };
  const answers = await Promise.all(customers.map(({ id }) => t.call('PUT', `/customers/${id}`, change)));
  expect(statuses(answers)).toEqual([200, ...Array(19).fill(409)]);
  expect(await t.keys('?filter[usage_attribution_subject_key]=wanted')).toHaveLength(1);
});

test('processes that write to one file at once: each key and subject key is taken once, all others conflict', async () => {
  const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
  const writers = ['first', 'second', 'third'].map((name) => startWriter(name, keys));
  try {
    await Promise.all(writers.map(({ line }) => line()));
    for (const { child } of writers) child.stdin.end('go\n');
    const outcomes = await Promise.all(writers.map(async ({ line }) => JSON.parse(await line()) as string[]));
    for (const [index, key] of keys.entries()) {
      const each = outcomes.map((outcome) => outcome[index]).toSorted();
      expect(each).toEqual(['created', 'resource-conflict', 'resource-conflict']);
      expect((await t.customers.findBySubjects([key])).size).toBe(1);
    }
    expect((await t.call('GET', '/customers')).json.meta.page.total).toBe(keys.length);
  } finally {
    for (const { child } of writers) child.kill();
  }
});

/** A process that opens the file, says "ready", and after "go" creates the customers and tells what came of each. */
function startWriter(name: string, keys: readonly string[]) {
  const script = fileURLToPath(new URL('concurrent-writer.ts', import.meta.url));
  const args = [script, join(t.folder, DATABASE_FILE), name, ...keys];
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
