import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../support/backend.ts';
import { CONTRACT_MISSING, contractIsAvailable } from '../support/contract.ts';
import { stripeParts } from '../support/stripe/billing.ts';
import { type FakeStripe, startFakeStripe } from '../support/stripe/fake-stripe.ts';
import { testClock } from '../support/test-clock.ts';
import { instanceOf, type Variant, variantsOf } from './support/instances.ts';
import { judgeRefusal } from './support/judge.ts';
import { mutationsOf } from './support/mutations.ts';
import { servedIds } from './support/operations.ts';
import { PREPARATIONS, type Preparation, paramsOf } from './support/preparations.ts';
import { type ContractOperation, contractOperations, type Json, type JsonObject } from './support/schema.ts';
import { createWorld, type World } from './support/world.ts';

/**
 * Calls every operation of the contract that this server has as a client made from that document would. Each answer is
 * held against the contract by the backend under test.
 */
let backend: TestBackend;
let world: World;
let stripe: FakeStripe;
beforeAll(async () => {
  const clock = testClock();
  stripe = await startFakeStripe(clock);
  backend = await createTestBackend({ clock, ...stripeParts(stripe) });
  world = createWorld(backend);
});
afterAll(async () => {
  await backend.close();
  await stripe.close();
});

const served = servedIds();
const operations = contractIsAvailable ? contractOperations().filter(({ id }) => served.has(id)) : [];

test.skipIf(!contractIsAvailable)(`the contract's operations are read (${CONTRACT_MISSING})`, () => {
  expect(operations.length).toBeGreaterThan(80);
});

async function prepare(operation: ContractOperation, variant: string): Promise<Preparation & { path: string }> {
  const made = (await PREPARATIONS[operation.id]?.(world, variant)) ?? {};
  const params = made.params ?? (await paramsOf(world, operation.pathParams));
  return { ...made, path: pathOf(operation, params) };
}

function pathOf({ path }: ContractOperation, params: Record<string, string>): string {
  return path.slice('/openmeter'.length).replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
}

test.for(operations.filter(({ body }) => body === undefined))('$id', async (operation) => {
  const { path, status = 200 } = await prepare(operation, 'full');
  const answer = await backend.request(operation.method, path);
  expect(answer).toMatchObject({ status: operation.method === 'DELETE' ? 204 : status });
});

test.for(operations.filter(({ body }) => body !== undefined))('$id', async (operation) => {
  const schema = operation.body as Json;
  const tried = new Set<string>();
  const disagreements: string[] = [];
  const { hints = {} } = await prepare(operation, 'full');
  for (const variant of variantsOf(schema, hints)) {
    disagreements.push(...(await tryVariant(operation, variant, tried)));
  }
  expect(disagreements).toEqual([]);
});

/** Everything that is wrong with the body, none of which may have an effect, and then the body itself. */
async function tryVariant(operation: ContractOperation, variant: Variant, tried: Set<string>): Promise<string[]> {
  const { id, method, body: schema = null } = operation;
  const { path, hints = {}, settle, status } = await prepare(operation, variant.name);
  const body = instanceOf(schema, variant, hints);
  settle?.(body as JsonObject);
  const disagreements: string[] = [];
  for (const mutation of mutationsOf(schema, body)) {
    const what = `${mutation.field} ${mutation.rule} ${JSON.stringify(mutation.wrong)}`;
    if (tried.has(what)) continue;
    tried.add(what);
    const wrong = await judgeRefusal(backend, { method, path, operation: id }, mutation);
    if (wrong !== undefined) disagreements.push(wrong);
  }
  const answer = await backend.request(method, path, { body });
  const asWished = status === undefined ? answer.status < 300 : answer.status === status;
  if (!asWished)
    disagreements.push(`${id} (${variant.name}) answered ${answer.status}: ${answer.text} to ${JSON.stringify(body)}`);
  return disagreements;
}
