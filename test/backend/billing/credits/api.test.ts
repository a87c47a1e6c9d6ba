import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Decimal, sumDecimals } from '../../../../backend/platform/decimal.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely; each is held against the contract
type Json = any;

const START = '2026-01-01T00:00:00Z';
let backend: TestBackend;
let base: string;
let customers = 0;

beforeAll(async () => {
  backend = await createTestBackend({ start: START });
  for (const key of ['api', 'storage']) await backend.request('POST', '/features', { body: { key, name: key } });
});
afterAll(() => backend.close());
beforeEach(async () => {
  customers += 1;
  const body = { key: `c${customers}`, name: 'C' };
  base = `/customers/${(await backend.request('POST', '/customers', { body })).json.id}/credits`;
});

async function ok(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await backend.request(method, `${base}${path}`, { body });
  expect({ path, status: answer.status, text: answer.text }).toMatchObject({
    status: expect.toSatisfy((status) => status < 300),
  });
  return answer.json;
}
async function refusal(method: string, path: string, body?: unknown): Promise<[number, string | undefined]> {
  const { status, json } = await backend.request(method, `${base}${path}`, { body });
  return [status, json.extensions?.validationErrors?.[0]?.code ?? json.validationErrors?.[0]?.code];
}
const grant = (amount: string, fields: Record<string, unknown> = {}) =>
  ok('POST', '/grants', { name: `G${amount}`, funding_method: 'none', currency: 'USD', amount, ...fields });
const adjust = (amount: string, fields: Record<string, unknown> = {}) =>
  ok('POST', '/adjustments', { name: `A${amount}`, currency: 'USD', amount, ...fields });
const balances = async (query = '') => (await ok('GET', `/balance${query}`)).balances;
const rows = async (query = '') =>
  (await ok('GET', `/transactions${query}`)).data.map((row: Json) => [
    row.type,
    row.name,
    row.amount,
    row.available_balance.before,
    row.available_balance.after,
  ]);
const later = (days: number) => new Date(backend.clock.nowMs() + days * 86_400_000).toISOString().replace('.000Z', 'Z');

test('a grant is made, read, listed, used, expires, and each of its movements is told', async () => {
  const made = await grant('100', {
    expires_after: 'P10D',
    key: 'welcome',
    labels: { team: 'a' },
    description: 'For a start',
  });
  expect(made).toMatchObject({ amount: '100', priority: 10, status: 'active', key: 'welcome', expires_at: later(10) });
  expect(await ok('GET', `/grants/${made.id}`)).toEqual(made);
  expect((await ok('GET', '/grants?filter[status]=active&filter[key][contains]=wel')).data).toEqual([made]);
  expect((await ok('GET', '/grants?filter[status]=voided')).meta.page.total).toBe(0);
  await adjust('-30');
  expect(await balances()).toEqual([{ currency: 'USD', live: '70', settled: '70', pending: '0' }]);
  expect(await balances(`?timestamp=${later(10)}`)).toEqual([
    { currency: 'USD', live: '0', settled: '0', pending: '0' },
  ]);
  backend.clock.advanceMs(10 * 86_400_000);
  const told = [
    ['expired', 'G100', '-70', '70', '0'],
    ['consumed', 'A-30', '-30', '100', '70'],
    ['funded', 'G100', '100', '0', '100'],
  ];
  expect(await rows()).toEqual(told);
  expect(await rows('?filter[type]=expired')).toEqual([told[0]]);
  const before = await ok('GET', '/transactions?page[size]=1');
  await adjust('1'); // what expired is booked with the next step
  const { data } = await ok('GET', `/transactions?page[size]=1`);
  const page = await ok('GET', `/transactions?page[after]=${data[0].id}`);
  expect(page.data[0]).toEqual(before.data[0]);
  expect(page.data.map(({ type }: Json) => type)).toEqual(told.map(([type]) => type));
  expect((await ok('GET', `/grants/${made.id}`)).status).toBe('expired');
});

test('features, priorities and views; the balance below zero is paid by the next grant', async () => {
  await grant('100');
  await grant('10', { filters: { features: ['api'] } });
  await grant('20', { filters: { features: ['storage'] }, effective_at: later(1) });
  const settled = async (query: string) => (await balances(query))[0].settled;
  expect(await balances()).toEqual([{ currency: 'USD', live: '110', settled: '110', pending: '20' }]);
  expect(await settled('?filter[feature_key][exists]=false')).toBe('100');
  expect(await settled('?filter[feature_key]=api')).toBe('110');
  expect(await settled('?filter[feature_key][oeq]=api,storage')).toBe('110');
  expect(await balances('?filter[currency]=EUR')).toEqual([{ currency: 'EUR', live: '0', settled: '0', pending: '0' }]);
  await adjust('-130'); // restricted credit pays for its feature only
  expect(await settled('')).toBe('-20');
  await grant('50');
  expect((await rows())[0]).toEqual(['funded', 'G50', '50', '-20', '30']);
});

test('what is bought is paid step by step, and again changes nothing', async () => {
  const purchase = { currency: 'USD', per_unit_cost_basis: '0.5' };
  const made = await grant('100', { funding_method: 'external', purchase });
  expect(made.purchase).toMatchObject({ amount: '50', settlement_status: 'pending' });
  const path = `/grants/${made.id}/settlement/external`;
  for (const status of ['authorized', 'authorized', 'settled', 'settled']) {
    expect((await ok('POST', path, { status })).purchase.settlement_status).toBe(status);
  }
  const code = 'credit_grant_external_settlement_status_invalid';
  expect(await refusal('POST', path, { status: 'pending' })).toEqual([400, code]);
  const given = await grant('1');
  const unsupported = [400, 'credit_grant_external_settlement_not_supported'];
  expect(await refusal('POST', `/grants/${given.id}/settlement/external`, { status: 'settled' })).toEqual(unsupported);
});

test('voiding takes what is left, once', async () => {
  const made = await grant('100');
  await adjust('-40');
  const voided = await ok('POST', `/grants/${made.id}/void`);
  expect(voided.status).toBe('voided');
  backend.clock.advanceMs(1000);
  expect(await ok('POST', `/grants/${made.id}/void`, { payment_adjustment: 'none' })).toEqual(voided);
  expect(await rows('?filter[type]=voided')).toEqual([['voided', 'G100', '-60', '60', '0']]);
  const pending = await grant('5', { effective_at: later(1) });
  const gone = await grant('5', { effective_at: later(-2), expires_after: 'P1D' });
  for (const { id } of [pending, gone]) expect((await refusal('POST', `/grants/${id}/void`))[0]).toBe(409);
});

const request = { name: 'G', funding_method: 'none', currency: 'USD', amount: '1' };
const purchase = { currency: 'USD' };
test.each([
  [{ amount: '0' }, 'credit_grant_amount_not_positive'],
  [{ amount: '0.001' }, 'credit_grant_amount_not_positive'],
  [{ currency: 'XQX' }, 'credit_currency_not_known'],
  [{ funding_method: 'external' }, 'credit_grant_purchase_required'],
  [{ purchase }, 'credit_grant_purchase_not_allowed'],
  [{ funding_method: 'invoice' }, 'credit_grant_purchase_required'],
  [
    { funding_method: 'external', purchase: { ...purchase, per_unit_cost_basis: '0.004' } },
    'credit_grant_purchase_invalid',
  ],
  [{ expires_after: 'P0D' }, 'credit_grant_expiry_invalid'],
  [{ filters: { features: ['api', 'api'] } }, 'credit_grant_features_invalid'],
  [{ filters: { features: ['nobody'] } }, 'credit_grant_features_invalid'],
  [{ tax_config: { tax_code: { id: '01G65Z755AFWAKHE12NY0CQ9FH' } } }, 'credit_grant_tax_code_not_found'],
])('a grant with %j is refused', async (fields, code) => {
  expect(await refusal('POST', '/grants', { ...request, ...fields })).toEqual([400, code]);
  expect(await balances()).toEqual([]);
});

test('keys, filters and cursors that cannot be are told', async () => {
  const made = await grant('1', { key: 'k' });
  const again = await backend.request('POST', `${base}/grants`, { body: { ...request, key: 'k' } });
  expect([again.status, again.json.detail]).toEqual([409, expect.stringContaining(made.id)]);
  const queries = [
    '/balance?filter[currency][neq]=USD',
    '/balance?filter[feature_key][contains]=a',
    '/transactions?page[after]=x',
  ];
  for (const query of queries) expect((await refusal('GET', query))[0]).toBe(400);
  expect((await refusal('POST', '/adjustments', { name: 'a', currency: 'USD', amount: '0.001' }))[1]).toBe(
    'credit_amount_invalid',
  );
  const other = (await backend.request('POST', '/customers', { body: { key: `o${customers}`, name: 'O' } })).json.id;
  expect((await backend.request('GET', `/customers/${other}/credits/grants/${made.id}`)).status).toBe(404);
});

test('fifty at once: each is booked once, and the rows run from balance to balance', async () => {
  const first = await grant('7', { key: 'first' });
  const calls = Array.from({ length: 50 }, (_, index) => {
    if (index % 5 === 0) return ok('POST', `/grants/${first.id}/void`).catch(() => undefined);
    if (index % 5 === 1) return refusal('POST', '/grants', { ...request, key: 'once' });
    return index % 2 === 0 ? grant('3.07') : adjust('-1.11');
  });
  await Promise.all(calls);
  const { data } = await ok('GET', '/transactions?page[size]=100');
  data.forEach((row: Json, index: number) => {
    expect(row.available_balance.before).toBe(data[index + 1]?.available_balance.after ?? '0');
  });
  expect(data.filter(({ type }: Json) => type === 'voided').length).toBeLessThanOrEqual(1);
  expect(data.filter(({ name }: Json) => name === 'G').length).toBe(1);
  const [{ settled }] = await balances();
  expect(sumDecimals(data.map(({ amount }: Json) => amount)).eq(new Decimal(settled))).toBe(true);
});
