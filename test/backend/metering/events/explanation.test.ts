import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
  const meter = (body: Record<string, unknown>) => backend.request('POST', '/meters', { body: { name: 'm', ...body } });
  await meter({ key: 'calls', aggregation: 'count', event_type: 'call' });
  await meter({ key: 'tokens', aggregation: 'sum', event_type: 'call', value_property: '$.tokens' });
  await meter({ key: 'late', aggregation: 'count', event_type: 'call', events_from: '2026-11-20T00:00:00Z' });
  await meter({ key: 'users', aggregation: 'unique_count', event_type: 'login', value_property: '$.user' });
  await backend.request('POST', '/customers', { body: { key: 'acme', name: 'Acme' } });
});
afterAll(() => backend.close());

const send = (event: Record<string, unknown>) =>
  backend.request('POST', '/events', {
    rawBody: JSON.stringify({ source: 's', type: 'call', subject: 'acme', time: '2026-11-20T10:00:00Z', ...event }),
    headers: { 'Content-Type': 'application/cloudevents+json' },
  });
const explain = async (query: string) => (await backend.request('GET', `/events/explanation?${query}`)).json;
const codes = (reasons: { code: string }[]) => reasons.map(({ code }) => code);

test('an event that counts, with what each meter reads', async () => {
  await send({ id: 'good', data: { tokens: '12.50' } });
  const { data, reasons } = await explain('event_id=good');
  expect(reasons).toEqual([]);
  expect(data).toHaveLength(1);
  expect(data[0]).toMatchObject({ counts: true, reasons: [], event: { event: { id: 'good' } } });
  expect(data[0].meters).toEqual([
    { meter_id: expect.any(String), meter_key: 'calls', counts: true, reasons: [] },
    { meter_id: expect.any(String), meter_key: 'tokens', counts: true, value: '12.5', reasons: [] },
    { meter_id: expect.any(String), meter_key: 'late', counts: true, reasons: [] },
  ]);
});

test('an unusable value, and an event before the meter begins, are told for the meter', async () => {
  await send({ id: 'bad', data: { tokens: 'many' }, time: '2026-11-19T23:59:59Z' });
  const [event] = (await explain('event_id=bad')).data;
  expect(event.counts).toBe(true);
  const reasons = event.meters.map((meter: { meter_key: string; counts: boolean; reasons: { code: string }[] }) => [
    meter.meter_key,
    meter.counts,
    codes(meter.reasons),
  ]);
  expect(reasons).toEqual([
    ['calls', true, []],
    ['tokens', false, ['value_unusable']],
    ['late', false, ['before_events_from']],
  ]);
  expect(event.meters[1].reasons[0].message).toBe('invalid event: value cannot be parsed as float64: many');
});

test('no meter for the type, no customer for the subject', async () => {
  await send({ id: 'strange', type: 'unknown', subject: 'nobody' });
  const [event] = (await explain('event_id=strange')).data;
  expect(event.counts).toBe(false);
  expect(event.reasons).toEqual([
    { code: 'no_meter', message: 'no meter found for event type: unknown' },
    { code: 'no_customer', message: 'no customer found for event subject: nobody' },
  ]);
});

test('a void event, with who made it void', async () => {
  await send({ id: 'void' });
  const body = { action: 'void', reason: 'a mistake', filter: { id: { eq: 'void' } } };
  await backend.request('POST', '/events/corrections', { body });
  const [event] = (await explain('event_id=void')).data;
  expect(event.counts).toBe(false);
  expect(event.meters.every((meter: { counts: boolean }) => !meter.counts)).toBe(true);
  expect(codes(event.reasons)).toEqual(['event_voided']);
  expect(event.reasons[0].message).toContain('by admin: a mistake');
});

test('what arrived again, and whether it was the same', async () => {
  await send({ id: 'twice', data: { tokens: 1 } });
  await send({ id: 'twice', data: { tokens: 1 }, time: '2026-11-20T11:00:00Z' });
  expect((await explain('event_id=twice')).data[0].reasons[0].message).toMatch(
    /^arrived 1 more time, last at .*, and counts once$/,
  );
  await send({ id: 'twice', data: { tokens: 2 } });
  await send({ id: 'twice', subject: 'other', source: 'another' });
  const { data } = await explain('event_id=twice&source=s');
  expect(data).toHaveLength(1);
  expect(data[0].reasons[0]).toMatchObject({ code: 'duplicates' });
  expect(data[0].reasons[0].message).toContain('arrived 2 more times');
  expect(data[0].reasons[0].message).toContain('1 of them had another type, subject or data');
  expect((await explain('event_id=twice')).data).toHaveLength(2);
});

test('an id that is not stored', async () => {
  const answer = await explain('event_id=none');
  expect(answer.data).toEqual([]);
  expect(codes(answer.reasons)).toEqual(['not_stored']);
});

test('a subject: what it has sent, by type, and why it does not count', async () => {
  await send({ id: 'sub-1', type: 'login', subject: 'stranger', data: { user: 'x' } });
  await send({ id: 'sub-2', type: 'odd', subject: 'stranger' });
  await send({ id: 'sub-3', type: 'odd', subject: 'stranger', time: '2026-11-20T12:00:00Z' });
  const answer = await explain('subject=stranger');
  expect(answer.types).toEqual([
    { type: 'odd', events: 2, voided: 0, last_seen_at: '2026-11-20T12:00:00Z', meters: [] },
    { type: 'login', events: 1, voided: 0, last_seen_at: '2026-11-20T10:00:00Z', meters: ['users'] },
  ]);
  expect(codes(answer.reasons)).toEqual(['no_customer', 'no_meter']);
  expect(answer.data.map((item: { event: { event: { id: string } } }) => item.event.event.id)).toEqual([
    'sub-3',
    'sub-2',
    'sub-1',
  ]);
  expect(codes((await explain('subject=never')).reasons)).toEqual(['not_seen']);
});

test.each(['', 'event_id=a&subject=b', 'subject=a&source=b', 'id=a'])('refuses "%s"', async (query) => {
  expect((await backend.request('GET', `/events/explanation?${query}`)).status).toBe(400);
});
