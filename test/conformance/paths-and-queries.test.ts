import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, createTestBackend, type TestBackend } from '../support/backend.ts';
import { CONTRACT_MISSING, contractIsAvailable } from '../support/contract.ts';
import { stripeParts } from '../support/stripe/billing.ts';
import { type FakeStripe, startFakeStripe } from '../support/stripe/fake-stripe.ts';
import { testClock } from '../support/test-clock.ts';
import { instanceOf, variantsOf } from './support/instances.ts';
import { servedIds } from './support/operations.ts';
import { PREPARATIONS, paramsOf } from './support/preparations.ts';
import { queriesOf } from './support/queries.ts';
import { type ContractOperation, contractOperations, type JsonObject } from './support/schema.ts';
import { createWorld, type World } from './support/world.ts';

/** Paths and query strings as a client made from the contract would send them, and wrong ones. */
let backend: TestBackend;
let stripe: FakeStripe;
let world: World;
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

const UNKNOWN = '01G65Z755AFWAKHE12NY0CQ9FH';
const served = servedIds();
const operations = contractIsAvailable ? contractOperations().filter(({ id }) => served.has(id)) : [];

test.skipIf(!contractIsAvailable)(`the contract's operations are read (${CONTRACT_MISSING})`, () => {
  expect(operations.length).toBeGreaterThan(80);
});

const pathOf = ({ path }: ContractOperation, params: Record<string, string>) =>
  path.slice('/openmeter'.length).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));

/** A body with which the operation would succeed, if its path were right. */
async function requestTo(operation: ContractOperation) {
  const variants = operation.body === undefined ? [undefined] : variantsOf(operation.body, {});
  for (const variant of variants) {
    const made = (await PREPARATIONS[operation.id]?.(world, variant?.name ?? 'full')) ?? {};
    const { params, hints = {}, settle, status } = made;
    if (status !== undefined) continue;
    const body = variant && instanceOf(operation.body ?? null, variant, hints);
    if (body !== undefined) settle?.(body as JsonObject);
    return { params: params ?? (await paramsOf(world, operation.pathParams)), ...(body !== undefined && { body }) };
  }
  throw new Error(`${operation.id}: nothing that it answers with success`);
}

const problemOf = ({ status, headers }: Answer) => `${status} ${headers.get('content-type')}`;

test.for(operations.filter(({ pathParams }) => pathParams.length > 0))(
  '$id: ids that nothing has',
  async (operation) => {
    const { params, ...request } = await requestTo(operation);
    for (const name of operation.pathParams) {
      for (const id of [UNKNOWN, 'not-an-id', UNKNOWN.toLowerCase(), '../..', '%00', '💥', 'x'.repeat(2000)]) {
        const path = pathOf(operation, { ...params, [name]: id });
        const answer = await backend.request(operation.method, path, request);
        expect({ name, id, problem: problemOf(answer) }).toEqual({ name, id, problem: '404 application/problem+json' });
      }
    }
  },
);

test.for(operations.filter(({ query }) => query.length > 0))('$id: query strings', async (operation) => {
  const { params, ...request } = await requestTo(operation);
  const path = pathOf(operation, params);
  const disagreements: string[] = [];
  // The list of events looks the customer up.
  const existing = { 'filter[customer_id]': (await world.customer()).id as string };
  for (const { text, wrong } of queriesOf(operation, existing)) {
    const answer = await backend.request(operation.method, `${path}?${text}`, request);
    const named = (answer.json?.invalid_parameters ?? []).map(({ field, source }: { field: string; source: string }) =>
      source === 'query' ? field : `${source} ${field}`,
    );
    const asWished = wrong === undefined ? answer.status === 200 : answer.status === 400 && named.includes(wrong);
    if (!asWished) disagreements.push(`${text} answered ${answer.status} ${answer.text}`);
  }
  expect(disagreements).toEqual([]);
});

test.for(operations.filter(({ body }) => body !== undefined))('$id: bodies that are no JSON', async (operation) => {
  const { params, body } = await requestTo(operation);
  const path = pathOf(operation, params);
  const send = (rawBody: string | Uint8Array, type = 'application/json') =>
    backend.request(operation.method, path, { rawBody, headers: { 'Content-Type': type } });
  const broken = ['', '{', '{"a":1,}', 'null', '[]', '17', '"text"', '\u{feff}', new Uint8Array([0x7b, 0xff, 0x7d])];
  // An empty batch of events is nothing to refuse.
  const refused = broken.filter((raw) => raw !== '[]' || operation.id !== 'ingest-metering-events');
  for (const raw of refused) expect(problemOf(await send(raw))).toBe('400 application/problem+json');
  const json = JSON.stringify(body);
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
    expect(problemOf(await send(json, type))).toBe('400 application/problem+json');
  }
  expect((await send(json, 'application/json; charset=utf-8')).status).toBeLessThan(300);
});
