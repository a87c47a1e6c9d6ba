import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

interface Given {
  id: string;
  type: string;
  subject?: string;
  time?: string;
  v?: unknown;
}

const send = (events: readonly Given[]) =>
  backend.request('POST', '/events', {
    rawBody: JSON.stringify(
      events.map(({ id, type, subject = 'alice', time = '2026-11-20T10:00:00Z', v }) => ({
        specversion: '1.0',
        source: 'test',
        id,
        type,
        subject,
        time,
        data: { v },
      })),
    ),
    headers: { 'Content-Type': 'application/cloudevents-batch+json' },
  });
const correct = (body: Record<string, unknown>, token: string = TOKENS.admin) =>
  backend.request('POST', '/events/corrections', { body: { action: 'void', reason: 'wrong', ...body }, token });
const list = async (query: string) => (await backend.request('GET', `/events?${query}`)).json.data;
const createMeter = async (key: string, aggregation: string, eventType: string): Promise<string> => {
  const value = aggregation === 'count' ? {} : { value_property: '$.v' };
  const body = { key, name: key, aggregation, event_type: eventType, ...value };
  return (await backend.request('POST', '/meters', { body })).json.id;
};
const figure = async (meterId: string, body: Record<string, unknown> = {}) =>
  (await backend.request('POST', `/meters/${meterId}/query`, { body })).json.data[0]?.value;

test('a void event counts in no figure, at once, and in every one again when it is restored', async () => {
  const aggregations = ['count', 'sum', 'avg', 'min', 'max', 'latest', 'unique_count'];
  const meters = await Promise.all(aggregations.map((name) => createMeter(`all_${name}`, name, 'all')));
  await send([
    { id: 'all-1', type: 'all', v: 1, time: '2026-11-20T10:00:00Z' },
    { id: 'all-2', type: 'all', v: 5, time: '2026-11-20T10:05:00Z' },
    { id: 'all-3', type: 'all', v: '100.0000000000000000001', time: '2026-11-20T10:10:00Z' },
  ]);
  const figures = () => Promise.all(meters.map((id) => figure(id)));
  const before = ['3', '106.0000000000000000001', '35.3333333333333333334', '1', '100.0000000000000000001'];
  expect(await figures()).toEqual([...before, '100.0000000000000000001', '3']);
  const answer = await correct({ filter: { id: { eq: 'all-3' } }, reason: ' a wrong unit ' });
  expect(answer.status).toBe(201);
  expect(answer.json).toMatchObject({
    action: 'void',
    reason: 'a wrong unit',
    made_by: 'admin',
    filter: { id: { eq: 'all-3' } },
    state: 'finished',
    events: 1,
    events_expected: 1,
  });
  expect(await figures()).toEqual(['2', '6', '3', '1', '5', '5', '2']);
  await correct({ filter: { id: { in: ['all-1', 'all-2'] } } });
  expect(await figures()).toEqual(['0', undefined, undefined, undefined, undefined, undefined, '0']);
  await correct({ action: 'restore', reason: 'was right', filter: { type: { eq: 'all' } } });
  expect(await figures()).toEqual([...before, '100.0000000000000000001', '3']);
  expect((await backend.usage.verify()).differences).toEqual([]);
});

test('a void event stays listed with the reason, and its duplicate is still a duplicate', async () => {
  const meter = await createMeter('listed', 'count', 'listed');
  await send([{ id: 'listed-1', type: 'listed' }]);
  const { json: correction } = await correct({ filter: { id: { eq: 'listed-1' } }, reason: 'sent by a test' });
  const [item] = await list('filter[id]=listed-1');
  expect(item.validation_errors[0]).toEqual({
    code: 'event_voided',
    message: 'event was made void: sent by a test',
    attributes: {
      correction_id: correction.id,
      reason: 'sent by a test',
      made_by: 'admin',
      made_at: correction.created_at,
    },
  });
  const totals = (await backend.request('GET', '/ingest-totals')).json;
  await send([{ id: 'listed-1', type: 'listed' }]);
  expect((await backend.request('GET', '/ingest-totals')).json).toMatchObject({ duplicates: totals.duplicates + 1 });
  expect(await figure(meter)).toBe('0');
});

test('what would change is told before, with a sample, and nothing is changed', async () => {
  const meter = await createMeter('dry', 'count', 'dry');
  await send(Array.from({ length: 12 }, (_, index) => ({ id: `dry-${index}`, type: 'dry' })));
  const answer = await correct({ filter: { type: { eq: 'dry' } }, dry_run: true });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({ dry_run: true, events: 12 });
  expect(answer.json.sample).toHaveLength(10);
  expect(answer.json.sample[0].event.id).toBe('dry-0');
  expect(await figure(meter)).toBe('12');
});

test('the filter: subject, customer, source and ranges of time, all together; later events are not touched', async () => {
  const meter = await createMeter('filtered', 'count', 'filtered');
  const customer = await backend.request('POST', '/customers', {
    body: { key: 'acme', name: 'Acme', usage_attribution: { subject_keys: ['acme-1', 'acme-2'] } },
  });
  await send([
    { id: 'f-1', type: 'filtered', subject: 'acme-1', time: '2026-11-20T10:00:00Z' },
    { id: 'f-2', type: 'filtered', subject: 'acme-2', time: '2026-11-20T11:00:00Z' },
    { id: 'f-3', type: 'filtered', subject: 'acme-2', time: '2026-11-20T12:00:00Z' },
    { id: 'f-4', type: 'filtered', subject: 'other', time: '2026-11-20T11:00:00Z' },
  ]);
  const filter = {
    type: { eq: 'filtered' },
    customer_id: { eq: customer.json.id },
    time: { gte: '2026-11-20T11:00:00Z', lt: '2026-11-20T12:00:00Z' },
    ingested_at: { lte: '2026-11-21T12:00:00Z' },
  };
  expect((await correct({ filter })).json.events).toBe(1);
  expect(await figure(meter)).toBe('3');
  await send([{ id: 'f-5', type: 'filtered', subject: 'acme-2', time: '2026-11-20T11:00:00Z' }]);
  expect(await figure(meter)).toBe('4');
  expect(
    (await correct({ filter: { subject: { in: ['other', 'nobody'] }, source: { eq: 'test' } } })).json.events,
  ).toBe(1);
  expect(await figure(meter, { filters: { dimensions: { subject: { eq: 'other' } } } })).toBeUndefined();
});

test('the audit list has every correction, newest first, with its events; one can be taken back as a whole', async () => {
  const meter = await createMeter('audit', 'count', 'audit');
  await send([1, 2, 3].map((index) => ({ id: `audit-${index}`, type: 'audit' })));
  const first = (await correct({ filter: { id: { eq: 'audit-1' } }, reason: 'first' })).json;
  const second = (await correct({ filter: { type: { eq: 'audit' } }, reason: 'second' })).json;
  expect([first.events, second.events]).toEqual([1, 2]);
  const audit = await backend.request('GET', '/events/corrections?page[size]=2', { token: TOKENS.viewer });
  expect(audit.json.data).toEqual([second, first]);
  expect(audit.json.meta.page).toMatchObject({ number: 1, size: 2 });
  expect((await backend.request('GET', `/events/corrections/${first.id}`)).json).toEqual(first);
  const changed = async (query: string) =>
    (await backend.request('GET', `/events/corrections/${second.id}/events?${query}`)).json;
  const page = await changed('page[size]=1');
  expect(page.data[0].event.id).toBe('audit-2');
  const next = await changed(`page[size]=1&page[after]=${page.meta.page.next}`);
  expect(next.data[0].event.id).toBe('audit-3');
  const restored = await correct({ action: 'restore', reason: 'no', filter: { correction_id: second.id } });
  expect(restored.json.events).toBe(2);
  expect(await figure(meter)).toBe('2');
});

test('more than 5,000 events are changed in slices, with progress', async () => {
  const meter = await createMeter('many', 'sum', 'many');
  const times = ['2026-10-01T00:00:00Z', '2026-10-31T23:59:59Z', '2026-11-20T10:07:00Z'];
  const events = Array.from({ length: 5001 }, (_, index) => ({
    id: `many-${index}`,
    type: 'many',
    subject: `subject-${index % 50}`,
    time: times[index % 3] ?? '',
    v: 1,
  }));
  await send(events);
  await send([{ id: 'many-stays', type: 'many', subject: 'stays', v: 1 }]);
  const subjects = Array.from({ length: 50 }, (_, index) => `subject-${index}`);
  const answer = await correct({ filter: { type: { eq: 'many' }, subject: { in: subjects } } });
  expect(answer.status).toBe(202);
  expect(answer.json).toMatchObject({ state: 'running', events_expected: 5001 });
  for (;;) {
    const { json } = await backend.request('GET', `/events/corrections/${answer.json.id}`);
    if (json.state === 'running') continue;
    expect(json.events).toBe(5001);
    break;
  }
  expect(await figure(meter)).toBe('1');
  while ((await backend.usage.verify()).waiting > 0);
  expect(await figure(meter)).toBe('1');
  expect((await backend.usage.verify()).differences).toEqual([]);
});

describe('is refused', () => {
  const id = '01G65Z755AFWAKHE12NY0CQ9FH';
  test.each([
    ['without a reason', { reason: ' ', filter: { id: { eq: 'x' } } }, 'reason'],
    ['without a filter', {}, 'filter'],
    ['with an empty filter', { filter: {} }, 'filter'],
    ['with an unknown field', { filter: { id: { eq: 'x' }, colour: { eq: 'red' } } }, 'filter.colour'],
    ['with an unknown action', { action: 'delete', filter: { id: { eq: 'x' } } }, 'action'],
    ['with a time that is none', { filter: { time: { lt: 'monday' } } }, 'filter.time.lt'],
    ['with a range without a bound', { filter: { time: {} } }, 'filter.time'],
    ['with an unknown customer', { filter: { customer_id: { eq: id } } }, 'filter.customer_id'],
    ['with too many values', { filter: { id: { in: Array(1001).fill('x') } } }, 'filter.id.in'],
    ['when it makes a correction void', { filter: { correction_id: id } }, 'filter.correction_id'],
    ['with an unknown correction', { action: 'restore', filter: { correction_id: id } }, 'filter.correction_id'],
  ])('%s', async (_, body, field) => {
    const answer = await correct(body);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters).toEqual([expect.objectContaining({ field, source: 'body' })]);
  });

  test('to viewers and senders', async () => {
    for (const token of [TOKENS.viewer, TOKENS.ingest]) {
      expect((await correct({ filter: { id: { eq: 'x' } } }, token)).status).toBe(403);
    }
  });

  test('unknown corrections are 404', async () => {
    expect((await backend.request('GET', `/events/corrections/${id}`)).status).toBe(404);
    expect((await backend.request('GET', `/events/corrections/${id}/events`)).status).toBe(404);
  });
});
