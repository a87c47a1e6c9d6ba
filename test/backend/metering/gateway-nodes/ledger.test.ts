import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sourceReportsRepository } from '../../../../backend/metering/gateway-nodes/repository.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { fc } from '../../../support/property.ts';

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
const reportOf = (node: string, process: string) =>
  backend.request('POST', '/source-reports', {
    body: { node, process, kind: `kind_${process}`, version: '1', waiting: 0 },
    token: TOKENS.ingest,
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
      kind: 'gateway',
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

test('a collector says what its source is, how far it has read and what went wrong, before it has delivered anything', async () => {
  const report = {
    node: 'collector:usage-bucket',
    process: 'p-9',
    kind: 'aws_s3',
    version: '0.1.0',
    taken: 0,
    waiting: 0,
    lag_seconds: 30,
    open: 2,
    error: { message: 'the bucket cannot be listed: AccessDenied', at: '2026-11-21T11:59:00Z' },
  };
  const send = (body: object, token: string = TOKENS.ingest) =>
    backend.request('POST', '/source-reports', { body, token });
  expect((await send(report)).status).toBe(204);
  backend.clock.advanceMs(10_000);
  const [source] = (await backend.request('GET', '/sources')).json.data;
  expect(source).toMatchObject({
    node: 'collector:usage-bucket',
    kind: 'aws_s3',
    process: 'p-9',
    received: 0,
    missing_count: 0,
  });
  // As long as nothing is heard, nobody knows that it has read on.
  expect(source.report).toEqual({
    version: '0.1.0',
    reported_at: '2026-11-21T12:00:00Z',
    waiting: 0,
    lag_seconds: 40,
    open: 2,
    error: { message: 'the bucket cannot be listed: AccessDenied', at: '2026-11-21T11:59:00Z' },
  });
  const { error: _error, open: _open, lag_seconds: _lag, ...fine } = report;
  expect((await send({ ...fine, taken: 7, waiting: 3 })).status).toBe(204);
  const [later] = await ledger('?filter[node]=collector:usage-bucket');
  expect(later).toMatchObject({ taken: 7, report: { waiting: 3, reported_at: '2026-11-21T12:00:10Z' } });
  expect(Object.keys(later.report)).toEqual(['version', 'reported_at', 'waiting']);
  // One that does not report is known by its name, and a gateway by having none.
  await deliver([1], from('1', { 'Metering-Node': 'collector:other' }));
  await deliver([2], from('2', { 'Metering-Process': 'p-2' }));
  const kinds = (await ledger()).map(({ node, kind }: { node: string; kind: string }) => `${node} ${kind}`);
  expect(kinds.toSorted()).toEqual(['collector:other collector', 'collector:usage-bucket aws_s3', 'gw-1 gateway']);
  for (const wrong of [
    { kind: 'A B' },
    { node: 'مصدر' },
    { node: 'x'.repeat(1_000_000) },
    // An offset that names an instant of the year 10000, which no answer could carry.
    { error: { message: 'x', at: '9999-12-31T23:59:59-23:59' } },
    { node: 'a b' },
    { waiting: -1 },
    { secret: 'x' },
    { error: { message: '' } },
  ]) {
    expect((await send({ ...report, ...wrong })).status, JSON.stringify(wrong)).toBe(400);
  }
  expect((await send(report, TOKENS.viewer)).status).toBe(403);
});

test('a source is reported by the token that reported it last, until it has been silent; what is silent for long is forgotten', async () => {
  const send = (node: string, waiting: number, token: string) => {
    const body = { node, process: 'p', kind: 'k', version: '1', waiting };
    return backend.request('POST', '/source-reports', { body, token });
  };
  const waiting = async () =>
    (await ledger('?filter[node]=collector:mine')).map((one: { report?: { waiting: number } }) => one.report?.waiting);
  expect((await send('collector:mine', 1, TOKENS.ingest)).status).toBe(204);
  const refused = await send('collector:mine', 2, TOKENS.admin);
  expect(refused.status).toBe(409);
  expect(refused.json.detail).toContain('Another token reports this source');
  expect(await waiting()).toEqual([1]);
  backend.clock.advanceMs(9 * 60_000);
  expect((await send('collector:mine', 3, TOKENS.ingest)).status).toBe(204);
  backend.clock.advanceMs(9 * 60_000);
  expect((await send('collector:mine', 4, TOKENS.admin)).status).toBe(409);
  // A token that was replaced.
  backend.clock.advanceMs(2 * 60_000);
  expect((await send('collector:mine', 5, TOKENS.admin)).status).toBe(204);
  expect((await send('collector:mine', 6, TOKENS.ingest)).status).toBe(409);
  expect(await waiting()).toEqual([5]);
  backend.clock.advanceMs(91 * 86_400_000);
  expect((await send('collector:other', 0, TOKENS.ingest)).status).toBe(204);
  expect(await waiting()).toEqual([undefined]);
});

test('the longest lag and the last instant are told as long as nothing is heard', async () => {
  const report = {
    node: 'collector:far',
    process: 'p',
    kind: 'k',
    version: '1',
    waiting: Number.MAX_SAFE_INTEGER,
    lag_seconds: Number.MAX_SAFE_INTEGER,
    error: { message: '<b>\u0001</b>', at: '9999-12-31T23:59:59.999Z' },
  };
  expect((await backend.request('POST', '/source-reports', { body: report, token: TOKENS.ingest })).status).toBe(204);
  backend.clock.advanceMs(10_000);
  const [source] = (await backend.request('GET', '/sources')).json.data;
  expect(source.report).toMatchObject({ lag_seconds: Number.MAX_SAFE_INTEGER, error: report.error });
});

test('of a page the reports are read that belong to it, and no others with the same name of a process', async () => {
  const reports = sourceReportsRepository(backend.db);
  for (const node of ['collector:a', 'collector:b', 'collector:c']) await reportOf(node, 'p');
  await reportOf('collector:b', 'q');
  const asked = [
    { node: 'collector:b', process: 'p' },
    { node: 'collector:c', process: 'q' },
  ];
  expect((await reports.ofProcesses(asked)).map(({ node, process }) => `${node} ${process}`)).toEqual([
    'collector:b p',
  ]);
  const sources = (await backend.request('GET', '/sources')).json.data;
  const kinds = sources.map((one: { node: string; process: string; kind: string }) => [
    one.node,
    one.process,
    one.kind,
  ]);
  expect(kinds.toSorted()).toEqual([
    ['collector:a', 'p', 'kind_p'],
    ['collector:b', 'p', 'kind_p'],
    ['collector:b', 'q', 'kind_q'],
    ['collector:c', 'p', 'kind_p'],
  ]);
});

test.each(['sources', 'gateway-nodes', 'gateway-requests'])(
  '%s: a filter that is not kept is refused',
  async (path) => {
    for (const query of [
      'filter[node][neq]=gw-1',
      'filter[node][oeq]=gw-1,gw-2',
      'filter[node]=gw-1&filter[node][eq]=gw-2',
    ]) {
      const answer = await backend.request('GET', `/${path}?${query}`);
      expect(answer.status, query).toBe(400);
      expect(answer.json.invalid_parameters[0].field).toMatch(/^filter\[node\]/);
    }
  },
);

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

describe('what a gateway served', () => {
  const served = (account: string, counts: readonly [number, number, number], notMetered?: string) => ({
    'Metering-Account': account,
    'Metering-Requests-Served': String(counts[0]),
    'Metering-Requests-Metered': String(counts[1]),
    'Metering-Requests-Unexplained': String(counts[2]),
    ...(notMetered !== undefined && { 'Metering-Requests-Not-Metered': notMetered }),
  });
  const requests = async (query = '') => (await backend.request('GET', `/gateway-requests${query}`)).json;

  test('stands beside what became of it, as told last, whoever tells it', async () => {
    await deliver([1], from('1'));
    expect(await requests()).toEqual({ data: [], meta: { page: { number: 1, size: 20, total: 0 } } });
    await deliver([], from('', served('a-1 1', [0, 0, 0])));
    backend.clock.advanceMs(5000);
    const other = { 'Metering-Process': 'p-2' };
    await deliver([2], from('2', { ...other, ...served('a-1 3', [60, 50, 3], 'no_subject=4,status_not_allowed=1') }));
    // Late, twice, or without a word of it.
    await deliver([3], from('3', served('a-1 2', [40, 38, 9])));
    await deliver([3], from('3', { ...other, ...served('a-1 3', [60, 50, 3], 'no_subject=4,status_not_allowed=1') }));
    await deliver([4], from('4'));
    expect((await requests()).data).toEqual([
      {
        node: 'gw-1',
        account: 'a-1',
        first_seen_at: '2026-11-21T12:00:00Z',
        last_seen_at: '2026-11-21T12:00:05Z',
        served: 60,
        metered: 50,
        not_metered: { no_subject: 4, status_not_allowed: 1 },
        under_way: 2,
        unexplained: 3,
      },
    ]);
  });

  test('is told apart by node and account, listed by page and filtered', async () => {
    await deliver([], from('', served('a-1 1', [1, 1, 0])));
    backend.clock.advanceMs(1000);
    await deliver([], from('', served('a-2 1', [2, 1, 1])));
    backend.clock.advanceMs(1000);
    await deliver([], { ...from('', served('a-1 1', [3, 3, 0])), 'Metering-Node': 'gw-2' });
    const names = (answer: { data: { node: string; account: string }[] }) =>
      answer.data.map(({ node, account }) => `${node} ${account}`);
    expect(names(await requests())).toEqual(['gw-2 a-1', 'gw-1 a-2', 'gw-1 a-1']);
    expect(names(await requests('?page[size]=2&page[number]=2'))).toEqual(['gw-1 a-1']);
    expect(names(await requests('?filter[node]=gw-1'))).toEqual(['gw-1 a-2', 'gw-1 a-1']);
  });

  test.each([
    ['Metering-Account', 'a-1'],
    ['Metering-Account', 'a-1 x'],
    ['Metering-Account', 'a-1 1 2'],
    ['Metering-Requests-Served', '-1'],
    ['Metering-Requests-Metered', 'many'],
    ['Metering-Requests-Unexplained', ''],
    ['Metering-Requests-Not-Metered', 'No Subject=1'],
  ])('is refused with %s: %s', async (header, value) => {
    const answer = await deliver(['x'], from('1', { ...served('a-1 1', [1, 1, 0]), [header]: value }));
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field: header, source: 'header' });
  });
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
