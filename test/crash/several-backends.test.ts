/** Three backends on one database, behind one address, of which one is killed from time to time. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, hasPostgres } from '../support/postgres-cluster.ts';
import { createRandom } from '../support/random.ts';
import { ADMIN_TOKEN, type BackendProcess, createBackendProcess } from './support/backend-process.ts';

const isLong = process.env['LONG'] === '1';
const [CUSTOMERS, KILLS, BATCHES] = isLong ? [1000, 40, 400] : [60, 3, 30];
const EVENTS_OF_BATCH = 20;
/** Backends are started a dozen times: on a machine that is busy that takes as long as it takes. */
const TIMEOUT_MS = isLong ? 7_200_000 : 600_000;
const METER = { key: 'amount', name: 'Amount', aggregation: 'sum', event_type: 'calls', value_property: '$.amount' };

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

describe.runIf(hasPostgres)('three backends on one database', { timeout: TIMEOUT_MS }, () => {
  const random = createRandom(Date.now());
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let backends: BackendProcess[];
  let turn = 0;

  beforeAll(async () => {
    database = await createDatabase();
    const create = () => createBackendProcess({ environment: { DATABASE_URL: database.url } });
    backends = [create(), create(), create()];
    await Promise.all(backends.map((backend) => backend.start()));
  }, TIMEOUT_MS);
  afterAll(async () => {
    for (const backend of backends) await backend.remove();
    await database.drop();
  });

  const at = (url: string, method: string, path: string, body?: unknown, token = ADMIN_TOKEN) =>
    fetch(`${url}${path.startsWith('/') ? path : `/v3/openmeter/${path}`}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Connection: 'close' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  /** As a balancer does it: whoever is next, and the one after where that one is gone. */
  const call = async (method: string, path: string, body?: unknown, token?: string): Promise<Response> => {
    for (;;) {
      turn += 1;
      const { url } = backends[turn % backends.length] as BackendProcess;
      const answer = await at(url, method, path, body, token).catch(() => undefined);
      if (answer !== undefined && answer.status !== 503) return answer;
      await pause(20);
    }
  };
  const json = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await call(method, path, body);
    const text = await answer.text();
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  /** Kills one after the other, each a while after the one before is back. */
  const killSome = async (times: number): Promise<void> => {
    for (let kill = 0; kill < times; kill += 1) {
      await pause(random.between(300, 1500));
      const backend = backends[random.between(0, backends.length - 1)] as BackendProcess;
      await backend.kill();
      await backend.start();
    }
  };

  test('a token that is revoked at one of them is dead at all', async () => {
    const { id, token } = await json('POST', 'access-tokens', { name: 'gateway', role: 'viewer', kind: 'system' });
    const statuses = () =>
      Promise.all(backends.map(async ({ url }) => (await at(url, 'GET', 'meters', undefined, token)).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    await json('DELETE', `access-tokens/${id}`);
    // Not so often that the one that refuses first has enough of it before the others know.
    await expect.poll(statuses, { interval: 300 }).toEqual([401, 401, 401]);
  });

  test('every event counts once while they are killed', async () => {
    const { id } = await json('POST', 'meters', METER);
    const send = async (batch: number): Promise<void> => {
      const time = new Date().toISOString();
      const events = Array.from({ length: EVENTS_OF_BATCH }, (_, index) => {
        const data = { amount: '0.1' };
        return {
          specversion: '1.0',
          id: `${batch}-${index}`,
          source: 'kills',
          type: 'calls',
          subject: 's',
          time,
          data,
        };
      });
      // Whoever got no answer sends again, and so may whoever got one.
      await json('POST', 'events', events);
      if (batch % 3 === 0) await json('POST', 'events', events);
    };
    const sending = (async () => {
      for (let batch = 0; batch < BATCHES; batch += 1) await send(batch);
    })();
    await Promise.all([sending, killSome(KILLS)]);
    const expected = String((BATCHES * EVENTS_OF_BATCH) / 10);
    for (const { url } of backends) {
      const answer = (await (await at(url, 'POST', `meters/${id}/query`, {})).json()) as Json;
      expect(answer.data.map(({ value }: Json) => value)).toEqual([expected]);
    }
  });

  test('everybody is billed once, with numbers without a gap, whoever is killed on the way', async () => {
    const before = new Date(Date.now() - 3_600_000).toISOString();
    for (let index = 0; index < CUSTOMERS; index += 1) {
      const { id } = await json('POST', 'customers', { key: `c${index}`, name: 'Some Customer', currency: 'USD' });
      await json('POST', `customers/${id}/charges`, {
        type: 'flat_fee',
        name: 'Fee',
        currency: 'USD',
        invoice_at: before,
        service_period: { from: before, to: before },
        settlement_mode: 'credit_then_invoice',
        payment_term: 'in_advance',
        proration_configuration: { mode: 'no_proration' },
        amount_before_proration: { amount: '48', currency: 'USD' },
      });
    }
    const { id } = await json('POST', 'billing/runs', { full: true });
    const isOver = async () => (await json('GET', `billing/runs/${id}`)).finished_at !== undefined;
    await Promise.all([killSome(KILLS), expect.poll(isOver, { timeout: TIMEOUT_MS }).toBe(true)]);
    const invoices: Json[] = [];
    for (let page = 1; invoices.length < CUSTOMERS; page += 1) {
      const { data } = await json('GET', `billing/invoices?page[size]=100&page[number]=${page}`);
      if (data.length === 0) break;
      invoices.push(...data);
    }
    expect(new Set(invoices.map(({ customer }) => customer.id)).size).toBe(CUSTOMERS);
    expect(invoices.map(({ totals }) => totals.total)).toEqual(Array(CUSTOMERS).fill('48'));
    // "OM-…-12": what comes before the last part is the kind of number, and the customers' name, which is the same.
    const kinds = Map.groupBy(invoices, ({ number }) => number.slice(0, number.lastIndexOf('-')));
    for (const [kind, all] of kinds) {
      const numbers = all.map(({ number }) => Number(number.split('-').at(-1))).sort((a, b) => a - b);
      expect({ kind, numbers }).toEqual({ kind, numbers: numbers.map((_, index) => index + 1) });
    }
  });
});
