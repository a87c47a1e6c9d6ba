import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

let backend: TestBackend;
let calls: string;
let customerId: string;
beforeAll(async () => {
  backend = await createTestBackend();
  const create = async (path: string, body: Record<string, unknown>) =>
    (await backend.request('POST', path, { body })).json.id;
  const dimensions = { route: '$.route' };
  calls = await create('/meters', {
    key: 'calls',
    name: 'Calls',
    aggregation: 'count',
    event_type: 'call',
    dimensions,
  });
  const sum = { aggregation: 'sum', event_type: 'call', value_property: '$.tokens' };
  await create('/meters', { key: 'tokens', name: 'Tokens', ...sum });
  await create('/meters', { key: 'a_maximum', name: 'Largest', ...sum, aggregation: 'max', event_type: 'other' });
  customerId = await create('/customers', {
    key: 'acme',
    name: 'Acme',
    usage_attribution: { subject_keys: ['acme-1', 'acme-2'] },
  });
  const events = Array.from({ length: 12 }, (_, index) => ({
    id: `event-${index}`,
    source: 's',
    type: 'call',
    subject: ['acme-1', 'acme-2', 'other'][index % 3],
    time: `2026-11-${index < 6 ? '10' : '12'}T10:00:00Z`,
    data: { route: ['users', 'orders', 'users', 'login'][index % 4], tokens: index },
  }));
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  await backend.request('POST', '/events', { rawBody: JSON.stringify(events), headers });
});
afterAll(() => backend.close());

const get = async (path: string) => (await backend.request('GET', path)).json;

test('values of a dimension, the most frequent first; in a range, of a subject, by their beginning, cut by a limit', async () => {
  const values = (query: string) => get(`/meters/${calls}/dimensions/route/values?${query}`);
  expect(await values('')).toEqual({
    data: [
      { value: 'users', events: 6 },
      { value: 'login', events: 3 },
      { value: 'orders', events: 3 },
    ],
    total: 3,
  });
  const day = 'from=2026-11-12T00:00:00Z&to=2026-11-13T00:00:00Z';
  expect((await values(`${day}&prefix=u`)).data).toEqual([{ value: 'users', events: 3 }]);
  expect((await values('subject=acme-1')).data).toEqual([
    { value: 'users', events: 2 },
    { value: 'login', events: 1 },
    { value: 'orders', events: 1 },
  ]);
  expect(await values('limit=1')).toMatchObject({ data: [{ value: 'users' }], total: 3 });
});

test('an unknown dimension or meter is 404, a wrong parameter 400', async () => {
  const status = async (path: string) => (await backend.request('GET', path)).status;
  expect(await status(`/meters/${calls}/dimensions/colour/values`)).toBe(404);
  expect(await status('/meters/01G65Z755AFWAKHE12NY0CQ9FH/dimensions/route/values')).toBe(404);
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'from=monday', 'form=x']) {
    expect(await status(`/meters/${calls}/dimensions/route/values?${query}`)).toBe(400);
  }
  const range = 'from=2026-11-12T00:00:00Z&to=2026-11-12T00:00:00Z';
  expect(await status(`/events/subjects?${range}`)).toBe(400);
});

test('subjects of some days, those with the most events first; void ones apart', async () => {
  expect(await get('/events/subjects?prefix=acme')).toEqual({
    data: [
      { subject: 'acme-1', events: 4, voided: 0, last_seen_at: '2026-11-12T10:00:00Z' },
      { subject: 'acme-2', events: 4, voided: 0, last_seen_at: '2026-11-12T10:00:00Z' },
    ],
    total: 2,
  });
  const body = { action: 'void', reason: 'a test', filter: { id: { eq: 'event-2' } } };
  await backend.request('POST', '/events/corrections', { body });
  const day = await get('/events/subjects?from=2026-11-10T20:00:00Z&to=2026-11-10T21:00:00Z&limit=1');
  expect(day).toMatchObject({ data: [{ subject: 'acme-1', events: 2 }], total: 3 });
  const body2 = { action: 'restore', reason: 'a test', filter: { id: { eq: 'event-2' } } };
  expect((await get('/events/subjects?prefix=other')).data[0]).toMatchObject({ events: 3, voided: 1 });
  await backend.request('POST', '/events/corrections', { body: body2 });
});

test('the figures of all meters for a subject and for a customer', async () => {
  const totals = async (query: string) =>
    (await get(`/usage-totals?${query}`)).data.map((total: { meter_key: string; value?: string }) => [
      total.meter_key,
      total.value,
    ]);
  expect(await totals('subject=acme-1')).toEqual([
    ['a_maximum', undefined],
    ['calls', '4'],
    ['tokens', String(0 + 3 + 6 + 9)],
  ]);
  expect(await totals(`customer_id=${customerId}&from=2026-11-12T00:00:00Z`)).toEqual([
    ['a_maximum', undefined],
    ['calls', '4'],
    ['tokens', String(6 + 7 + 9 + 10)],
  ]);
  const status = async (query: string) => (await backend.request('GET', `/usage-totals?${query}`)).status;
  expect(await status('')).toBe(400);
  expect(await status(`subject=a&customer_id=${customerId}`)).toBe(400);
  expect(await status('customer_id=01G65Z755AFWAKHE12NY0CQ9FH')).toBe(404);
});
