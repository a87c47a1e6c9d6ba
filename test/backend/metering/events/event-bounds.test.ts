import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventReader } from '../../../../backend/metering/events/event-reader.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const event = (fields: object) => ({ id: '1', source: 's', type: 't', subject: 'x', ...fields });
const send = (events: object[]) => backend.request('POST', '/events', { body: events });
/** Data of exactly so many bytes as JSON. */
const dataOf = (bytes: number) => ({ v: 'x'.repeat(bytes - '{"v":""}'.length) });

test('the data of an event has a bound of its own, which the refusal names', async () => {
  expect((await send([event({ id: 'fits', data: dataOf(65_536) })])).status).toBe(202);
  const refused = await send([event({ id: 'a' }), event({ id: 'b', data: dataOf(65_537) })]);
  expect(refused.status).toBe(400);
  expect(refused.json.invalid_parameters).toEqual([
    {
      field: '1.data',
      rule: 'max_length',
      maximum: 65_536,
      reason: 'must have at most 65536 bytes as JSON and has 65537 (MAX_EVENT_DATA_BYTES)',
      source: 'body',
    },
  ]);
});

test.each([
  ['id', 512],
  ['source', 1024],
  ['type', 256],
  ['subject', 512],
])('%s has at most %i characters', async (field, maximum) => {
  expect((await send([event({ [field]: 'x'.repeat(maximum) })])).status).toBe(202);
  const refused = await send([event({ [field]: 'x'.repeat(maximum + 1) })]);
  expect(refused.status).toBe(400);
  expect(refused.json.invalid_parameters).toMatchObject([{ field: `0.${field}`, rule: 'max_length', maximum }]);
});

test('a page ends after 4 MB of data, and the next one goes on behind it', async () => {
  const ids = Array.from({ length: 150 }, (_, index) => `page-${index}`);
  for (let start = 0; start < ids.length; start += 50) {
    const events = ids.slice(start, start + 50).map((id) => event({ id, type: 'large', data: dataOf(60_000) }));
    expect((await send(events)).status).toBe(202);
  }
  for (const sort of ['time', 'stored_at desc']) {
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const query = `filter[type]=large&page[size]=100&sort=${sort}${after === '' ? '' : `&page[after]=${after}`}`;
      const { status, json } = await backend.request('GET', `/events?${query}`);
      expect([status, json.detail]).toEqual([200, undefined]);
      sizes.push(json.data.length);
      seen.push(...json.data.map((one: { event: { id: string } }) => one.event.id));
      after = json.meta.page.next;
    }
    expect(seen.sort()).toEqual(ids.toSorted());
    expect(sizes).toEqual([70, 70, 10]);
  }
});

test('a large body is stored in pieces of about a megabyte, so that nobody waits for all of it', async () => {
  const events = Array.from({ length: 100 }, (_, index) => event({ id: `piece-${index}`, data: dataOf(60_000) }));
  const bytes = Buffer.from(JSON.stringify(events));
  const read = await createEventReader().read({
    bytes,
    form: 'batch',
    receivedAtMs: 0,
    isLenient: false,
    maxDataBytes: 65_536,
  });
  const sizes: number[] = [];
  for await (const slice of read.slices()) sizes.push(slice.length);
  expect(sizes).toEqual([17, 17, 17, 17, 17, 15]);
});
