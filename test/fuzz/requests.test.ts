import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { expect, onTestFailed, test } from 'vitest';
import { createWorld } from '../conformance/support/world.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../support/backend.ts';
import { contractIsAvailable, contractViolations } from '../support/contract.ts';
import { createRandom } from '../support/random.ts';
import { createIds, type Ids } from './support/ids.ts';
import { createRequestMaker, type FuzzRequest } from './support/requests.ts';
import { type Stores, watchStores } from './support/stores.ts';

const LONG = process.env['LONG'] === '1';
/** A database that grows for ever would only make the requests slower. */
const REQUESTS_A_ROUND = LONG ? 10_000 : 1_200;
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? (LONG ? 30 : 1));
/** The short form always does the same; the long one something new, unless told which. */
const MAX_PROBLEMS = 5;
const FIRST_SEED = Number(process.env['FUZZ_SEED'] ?? (LONG ? Date.now() % 1_000_000 : 1));

interface Fuzzed {
  backend: TestBackend;
  stores: Stores;
  ids: Ids;
  check: (request: FuzzRequest, status: number, type: string, text: string) => string[];
}

test.each(Array.from({ length: ROUNDS }, (_, round) => FIRST_SEED + round))(
  'generated requests: no 5xx, no hang, documented answers, no effect of a refused one (FUZZ_SEED=%i)',
  async (seed) => {
    const backend = await createTestBackend();
    const stores = watchStores(backend.dataDir);
    const random = createRandom(seed);
    const document = (await (await backend.app.request('/openapi.json')).json()) as Record<string, unknown>;
    const ids = createIds(random, await seeded(backend));
    const fuzzed: Fuzzed = { backend, stores, ids, check: answersOf(document) };
    const maker = createRequestMaker(random, document, ids.of);
    const problems: string[] = [];
    let current: FuzzRequest | undefined;
    onTestFailed(() => {
      const errors = backend.logLines.filter((line) => line.includes('"err"')).slice(-MAX_PROBLEMS);
      process.stderr.write(`FUZZ_SEED=${seed}, the last request: ${JSON.stringify(current)}\n${errors.join('')}\n`);
    });
    for (let count = 0; count < REQUESTS_A_ROUND && problems.length < MAX_PROBLEMS; count += 1) {
      current = maker.next();
      const found = await judge(fuzzed, current);
      if (found.length > 0) problems.push(`${JSON.stringify(current)}: ${found.join('; ')}`);
      if (count % 1000 === 999 && problems.length === 0) backend.logLines.length = 0;
    }
    expect(problems).toEqual([]);
    stores.close();
    await backend.close();
  },
);

/** One of each kind, so that requests find something. */
async function seeded(backend: TestBackend): Promise<Record<string, string>> {
  const world = createWorld(backend);
  const subscription = await world.subscription();
  const invoice = await world.invoice();
  return {
    subscriptionId: subscription.id,
    customerId: subscription.customer.id,
    invoiceId: invoice.id,
    meterId: (await world.meter()).id,
    featureId: (await world.feature()).id,
    planId: (await world.planDraft()).id,
    addonId: (await world.addon()).id,
    taxCodeId: (await world.taxCode()).id,
    currencyId: (await world.currency()).id,
    appId: (await world.app()).id,
    id: (await world.profile()).id,
    appType: 'sandbox',
    dimension: 'model',
    featureKey: 'feature_1',
    meterKey: 'kong_konnect_api_request',
  };
}

async function send(backend: TestBackend, request: FuzzRequest): Promise<Response> {
  const headers = { Authorization: `Bearer ${TOKENS.admin}`, ...request.headers };
  return backend.app.request(request.url, {
    method: request.method,
    headers,
    ...(request.body !== undefined && { body: request.body as string }),
  });
}

/** @returns what is wrong with the answer, and with what it did */
async function judge(fuzzed: Fuzzed, request: FuzzRequest): Promise<string[]> {
  const { backend, stores, ids, check } = fuzzed;
  const before = stores.changes();
  const response = await send(backend, request);
  const text = await response.text();
  const { status } = response;
  const type = response.headers.get('content-type') ?? '';
  if (status >= 500 && status !== 501 && status !== 503) return [`${status} ${text}`];
  const problems = check(request, status, type, text).map((problem) => `${status}: ${problem}`);
  if (status >= 400) {
    const isSame = changed(before, stores.changes()).length === 0;
    const effects = isSame ? [] : await effectsOf(fuzzed, request);
    if (effects.length > 0) problems.push(`${status} changed ${effects.join(', ')}`);
  } else if (request.method === 'POST' && type.startsWith('application/json')) {
    const made = JSON.parse(text) as { id?: unknown };
    if (typeof made.id === 'string') ids.learn(request.url, made.id);
  }
  return problems;
}

/** Something was committed meanwhile. What follows from an accepted request may be; so the refused one is asked again. */
async function effectsOf({ backend, stores }: Fuzzed, request: FuzzRequest): Promise<string[]> {
  // A billing run that was asked for pauses where it asks for usage, for as long as the machine is busy.
  await backend.billingRuns.runner.work();
  await expect
    .poll(async () => {
      const { unfoldedEvents, backFillEventsLeft, quartersToRecompute } = await backend.usage.upkeep();
      return unfoldedEvents + backFillEventsLeft + quartersToRecompute;
    })
    .toBe(0);
  await stores.settled();
  const before = stores.changes();
  const { status } = await send(backend, request);
  await stores.settled();
  if (status < 400) return [];
  return changed(before, stores.changes()).filter((table) => !BOOKKEEPING[request.operation]?.includes(table));
}

/** When a customer's charges were last worked out, which asking for an invoice does before it finds nothing to bill. */
const BOOKKEEPING: Record<string, string[]> = { 'invoice-customer-now': ['billing_customers'] };

/** The tables with other counts. */
function changed(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string[] {
  return [...after].flatMap(([table, count]) => (before.get(table) === count ? [] : [table]));
}

/** Holds answers against our own document, and those of the contract's operations against the contract. */
function answersOf(document: Record<string, unknown>): Fuzzed['check'] {
  const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'ours', ...document });
  const paths = document['paths'] as Record<string, Record<string, { operationId: string; responses: Json }>>;
  const pointers = new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId, responses }]) => {
        const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
        return [operationId, { pointer: `#/paths/${escaped}/${method}/responses`, responses }] as const;
      }),
    ),
  );
  const compiled = new Map<string, ValidateFunction>();
  return ({ operation, method, url }, status, type, text) => {
    const { pointer, responses } = pointers.get(operation) ?? { pointer: '', responses: {} as Json };
    const media = type.split(';', 1)[0] ?? '';
    if (status >= 400 && media !== 'application/problem+json') return [`a problem as ${type}`];
    const path = new URL(url, 'http://x').pathname.replace(/^\/v3/, '');
    if (contractIsAvailable && status < 400) {
      const problems = contractViolations(method, path, status, type, text);
      if (problems.length > 0) return problems;
    }
    // 404, 409, 410 and others have the form that all problems have.
    const documented = responses[String(status)] as { content?: Json } | undefined;
    if (documented === undefined) return status < 400 ? [`${status} is not documented`] : [];
    if (text === '' || documented.content?.[media] === undefined || !media.endsWith('json')) return [];
    const at = `${pointer}/${status}/content/${media.replaceAll('/', '~1')}/schema`;
    const validate = compiled.get(at) ?? ajv.compile({ $ref: `ours${at}` });
    compiled.set(at, validate);
    return validate(JSON.parse(text))
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
}

type Json = Record<string, unknown>;
