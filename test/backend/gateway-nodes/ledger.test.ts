import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';
import { fc } from '../../support/property.ts';

let backend: TestBackend;
beforeEach(async () => {
  backend = await createTestBackend();
});
afterEach(() => backend.close());

const deliver = (ids: (string | number)[], headers: Record<string, string>) =>
  backend.request('POST', '/events', {
    rawBody: JSON.stringify(ids.map((id) => ({ id: String(id), source: 's', type: 't', subject: 'x' }))),
    headers: { 'Content-Type': 'application/cloudevents-batch+json', ...headers },
  });
const from = (sequence: string, more: Record<string, string> = {}) => ({
  'Metering-Node': 'gw-1',
  'Metering-Process': 'p-1',
  ...(sequence !== '' && { 'Metering-Sequence': sequence }),
  ...more,
});
const ledger = async (query = '') => (await backend.request('GET', `/gateway-nodes${query}`)).json.data;

test('counts what arrives, and names what is missing', async () => {
  await deliver([1, 2, 3], from('1-3', { 'Metering-Taken': '9', 'Metering-Dropped': 'no_subject=2' }));
  backend.clock.advanceMs(5000);
  await deliver([6, 7], from('6-7', { 'Metering-Taken': '12', 'Metering-Dropped': 'no_subject=4,queue_full=2' }));
  await deliver([3, 9], from('3,9'));
  expect(await ledger()).toEqual([
    {
      node: 'gw-1',
      process: 'p-1',
      first_seen_at: '2026-11-21T12:00:00Z',
      last_seen_at: '2026-11-21T12:00:05Z',
      received: 7,
      stored: 6,
      duplicates: 1,
      rejected: 0,
      taken: 12,
      last_number: 9,
      missing_count: 3,
      missing: [
        { first: 4, last: 5 },
        { first: 8, last: 8 },
      ],
      dropped: { no_subject: 4, queue_full: 2 },
    },
  ]);
  await deliver([4, 5, 8], from('4-5,8'));
  expect((await ledger())[0]).toMatchObject({ missing_count: 0, missing: [] });
});

test('a batch that is refused leaves no trace; leniently refused events count as rejected', async () => {
  expect((await deliver(['ok', ''], from('1-2'))).status).toBe(400);
  expect(await ledger()).toEqual([]);
  await deliver(['ok', ''], from('1-2', { Prefer: 'handling=lenient' }));
  expect((await ledger())[0]).toMatchObject({ received: 2, stored: 1, rejected: 1, missing_count: 0 });
});

test('a process may report about itself without an event', async () => {
  await deliver([], from('', { 'Metering-Taken': '5', 'Metering-Dropped': 'spool_full=5' }));
  expect((await ledger())[0]).toMatchObject({ received: 0, taken: 5, dropped: { spool_full: 5 } });
});

test('an older report that arrives later does not take anything back', async () => {
  await deliver([2], from('2', { 'Metering-Taken': '20', 'Metering-Dropped': 'queue_full=7' }));
  await deliver([1], from('1', { 'Metering-Taken': '10', 'Metering-Dropped': 'queue_full=1' }));
  expect((await ledger())[0]).toMatchObject({ taken: 20, dropped: { queue_full: 7 } });
});

test('nor does an heir that knows less than the dead process had told', async () => {
  await deliver([2], from('2', { 'Metering-Taken': '20', 'Metering-Dropped': 'rejected=1,queue_full=7' }));
  await deliver([3], from('3', { 'Metering-Taken': '12', 'Metering-Dropped': 'rejected=5' }));
  expect((await ledger())[0]).toMatchObject({ taken: 20, dropped: { rejected: 5, queue_full: 7 } });
});

test('what the gateway served stands beside what of it arrived, as told last, of the process that tells', async () => {
  await deliver([1], from('1'));
  expect((await ledger())[0]).not.toHaveProperty('requests_served');
  const served = (requests: string, entries: string) => ({
    'Metering-Requests-Served': requests,
    'Metering-Log-Entries': entries,
  });
  await deliver([], from('', served('0', '0')));
  expect((await ledger())[0]).toMatchObject({ requests_served: 0, log_entries: 0 });
  await deliver([2], from('2', served('60', '57')));
  await deliver([3], from('3', served('40', '38')));
  await deliver([4], from('4'));
  expect((await ledger())[0]).toMatchObject({ requests_served: 60, log_entries: 57 });
});

test('nodes and processes are told apart, listed by page and filtered', async () => {
  for (const process of ['a', 'b', 'c']) {
    await deliver([process], {
      'Metering-Node': process === 'c' ? 'gw-2' : 'gw-1',
      'Metering-Process': process,
      'Metering-Sequence': '1',
    });
    backend.clock.advanceMs(1000);
  }
  expect((await ledger()).map((item: { process: string }) => item.process)).toEqual(['c', 'b', 'a']);
  expect((await ledger('?page[size]=2&page[number]=2')).map((item: { process: string }) => item.process)).toEqual([
    'a',
  ]);
  expect((await ledger('?filter[node]=gw-1')).map((item: { process: string }) => item.process)).toEqual(['b', 'a']);
});

describe('refused headers', () => {
  test.each([
    ['Metering-Sequence', '2-1'],
    ['Metering-Sequence', '0-1'],
    ['Metering-Sequence', 'all'],
    ['Metering-Sequence', Array.from({ length: 101 }, (_, index) => 2 * index + 1).join(',')],
    ['Metering-Taken', '-1'],
    ['Metering-Taken', '1e3'],
    ['Metering-Dropped', 'queue_full'],
    ['Metering-Dropped', 'Queue Full=1'],
    ['Metering-Requests-Served', '-1'],
    ['Metering-Log-Entries', 'many'],
    ['Metering-Process', ''],
    ['Metering-Node', 'a b'],
  ])('%s: %s', async (header, value) => {
    const answer = await deliver(['x'], from('1', { [header]: value }));
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field: header, source: 'header' });
  });
});

test('property: the missing numbers are those that did not arrive, in whatever order the others came', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 })), {
        minLength: 1,
        maxLength: 25,
      }),
      async (deliveries) => {
        const process = `run-${++run}`;
        const arrived = new Set<number>();
        for (const [first, length] of deliveries) {
          for (let number = first; number <= first + length; number++) arrived.add(number);
          const ids = Array.from({ length: length + 1 }, (_, index) => `${process}/${first + index}`);
          await deliver(ids, {
            'Metering-Node': 'n',
            'Metering-Process': process,
            'Metering-Sequence': `${first}-${first + length}`,
          });
        }
        const highest = Math.max(...arrived);
        const missing = Array.from({ length: highest }, (_, index) => index + 1).filter(
          (number) => !arrived.has(number),
        );
        const [entry] = (await ledger('?page[size]=1000')).filter(
          (item: { process: string }) => item.process === process,
        );
        const listed = entry.missing.flatMap(({ first, last }: { first: number; last: number }) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        );
        expect({ missing: listed, count: entry.missing_count, last: entry.last_number, stored: entry.stored }).toEqual({
          missing,
          count: missing.length,
          last: highest,
          stored: arrived.size,
        });
      },
    ),
    { numRuns: 60 },
  );
});
