import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

let backend: TestBackend;
beforeEach(async () => {
  backend = await createTestBackend();
});
afterEach(() => backend.close());

const METER = { key: 'requests', name: 'Requests', aggregation: 'count', event_type: 'request' };

async function sendEvents(count: number): Promise<void> {
  const body = Array.from({ length: count }, (_, index) => ({
    specversion: '1.0',
    id: `event-${index}`,
    source: 'test',
    type: index % 2 === 0 ? 'request' : 'other',
    subject: `subject-${index % 3}`,
    time: '2026-11-20T10:00:00Z',
    data: { route: `route-${index % 4}`, id: `id-${index}` },
  }));
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  expect((await backend.request('POST', '/events', { rawBody: JSON.stringify(body), headers })).status).toBe(202);
}

/** Waits until the back-fill of the meter is done. */
async function finished(id: string) {
  for (;;) {
    const { json } = await backend.request('GET', `/meters/${id}/back-fill`);
    if (json.state === 'finished') return json;
    expect(json.state).toBe('running');
  }
}

test('a meter that comes after its events counts them, and its progress is told', async () => {
  await sendEvents(5000);
  const meter = (await backend.request('POST', '/meters', { body: METER })).json;
  const query = () => backend.request('POST', `/meters/${meter.id}/query`, { body: {} });
  expect((await query()).json.data[0].value).toBe('2500');
  expect(await finished(meter.id)).toEqual({
    state: 'finished',
    events_looked_at: 5000,
    events_total: 5000,
    wide_dimensions: [],
  });
  expect((await query()).json.data[0].value).toBe('2500');
  expect(await backend.usage.verify()).toMatchObject({ series: 1, differences: [] });
});

test('a dimension that is added later is back-filled, and one with very many values is told to be wide', async () => {
  await sendEvents(5000);
  const meter = (await backend.request('POST', '/meters', { body: METER })).json;
  await finished(meter.id);
  const dimensions = { route: '$.route', id: '$.id' };
  await backend.request('PUT', `/meters/${meter.id}`, { body: { name: 'Requests', dimensions } });
  expect(await finished(meter.id)).toMatchObject({ wide_dimensions: ['id'] });
  const query = async (groups: string[]) =>
    (await backend.request('POST', `/meters/${meter.id}/query`, { body: { group_by_dimensions: groups } })).json.data;
  expect((await query(['route'])).map((row: { value: string }) => row.value)).toEqual(['1250', '1250']);
  expect(await query(['id'])).toHaveLength(2500);
  expect(await backend.usage.verify()).toMatchObject({ series: 1, differences: [] });
});

test('a deleted meter has no roll-ups any more', async () => {
  await sendEvents(10);
  const meter = (await backend.request('POST', '/meters', { body: METER })).json;
  await backend.request('DELETE', `/meters/${meter.id}`);
  expect((await backend.request('GET', `/meters/${meter.id}/back-fill`)).json.state).toBe('none');
  expect(await backend.usage.verify()).toMatchObject({ series: 0 });
  expect((await backend.request('GET', '/meters/01ARZ3NDEKTSV4RRFFQ69G5FAV/back-fill')).status).toBe(404);
});
