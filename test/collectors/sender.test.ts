import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSpool, type Spool } from '../../collectors/core/spool.ts';
import { createSpoolSender, type SpoolSender } from '../../collectors/core/spool-sender.ts';
import { systemClock } from '../../delivery/clock.ts';
import { createRareLog } from '../../delivery/rare-log.ts';
import { createTransport } from '../../delivery/transport.ts';
import { type IngestServer, startIngestServer } from '../support/collectors/ingest-server.ts';

let folder: string;
let spool: Spool;
let server: IngestServer;
let lines: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sender-'));
  spool = openSpool(join(folder, 'spool.sqlite'), 1024 ** 3, systemClock);
  server = await startIngestServer();
  lines = [];
});
afterEach(async () => {
  spool.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

function createTestSender(batching = { count: 10, periodMs: 5 }, url = server.url): SpoolSender {
  const transport = {
    token: 's3cret',
    timeoutMs: 5000,
    keepaliveMs: 5000,
    sslVerify: true,
    connections: 4,
    userAgent: 't',
  };
  return createSpoolSender({
    part: spool.part('a'),
    node: 'collector:a',
    endpoint: url,
    transport: createTransport(transport, new URL(url), systemClock),
    batching,
    maxInFlight: 4,
    clock: systemClock,
    // No jitter: pauses between attempts are as short as they can be.
    random: () => 0,
    cooldownMs: 100,
    rareLog: createRareLog((level, msg, fields) => lines.push(JSON.stringify({ level, msg, ...fields })), systemClock),
    scrub: (text) => text.replaceAll('s3cret', '[token]'),
  });
}

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, index) => `e${index + from}`);
const fill = (names: readonly string[]) =>
  spool.part('a').commit({ events: names.map((id) => JSON.stringify({ id })), dead: [], cursor: [] });

test('sends what is there in order and in batches, numbered for the ledger, and removes it', async () => {
  await fill(ids(25));
  const sender = createTestSender();
  sender.start();
  await sender.drain();
  await sender.stop(1000);
  expect(server.stored.toSorted()).toEqual(ids(25).toSorted());
  expect(server.requests.map((request) => request.ids.length)).toEqual([10, 10, 5]);
  expect(server.requests[1]?.headers).toMatchObject({
    authorization: 'Bearer s3cret',
    prefer: 'handling=lenient',
    'content-type': 'application/cloudevents-batch+json',
    'metering-node': 'collector:a',
    'metering-process': spool.part('a').process,
    'metering-sequence': '11-20',
    'metering-taken': '25',
  });
  expect(spool.part('a').counts).toMatchObject({ events: 0, bytes: 0, taken: 25 });
  expect(sender.counts).toMatchObject({ sent: 25, batchesCreated: 3, batchesSent: 3 });
});

test('an endpoint that fails in every way has everything in the end, once', async () => {
  await fill(ids(40));
  const ways = [503, 500, 429, 404, 502, 408];
  server.answer = (_ids, request) => ({
    status: request <= 12 ? (ways[request % ways.length] ?? 500) : 204,
    headers: { 'retry-after': '0' },
  });
  const sender = createTestSender();
  sender.start();
  await sender.drain();
  await sender.stop(1000);
  expect(server.stored.toSorted()).toEqual(ids(40).toSorted());
  expect(sender.counts.retried).toBeGreaterThan(3);
});

test('one bad event of a batch that is refused as a whole is found by halving, and the others are delivered', async () => {
  await fill(ids(10));
  server.answer = (batch) => ({ status: batch.includes('e7') ? 400 : 204, body: { detail: 'bad s3cret event' } });
  const sender = createTestSender();
  sender.start();
  await sender.drain();
  await sender.stop(1000);
  expect(server.stored.toSorted()).toEqual(
    ids(10)
      .filter((id) => id !== 'e7')
      .toSorted(),
  );
  expect(spool.part('a').counts).toMatchObject({ events: 0, rejected: 1 });
  expect(spool.part('a').deadLetters(10)).toMatchObject([
    { kind: 'rejected', reason: 'bad [token] event', record: '{"id":"e7"}' },
  ]);
  await fill(['later']);
  const next = createTestSender();
  next.start();
  await next.drain();
  await next.stop(1000);
  expect(server.requests.at(-1)?.headers).toMatchObject({
    'metering-dropped': 'rejected=1',
    'metering-sequence': '11',
  });
});

test('of a batch that is judged event by event the refused ones are kept with their reasons', async () => {
  await fill(ids(3));
  const rejected = [{ index: 1, invalid_parameters: [{ field: 'subject', rule: 'required', reason: 'is missing' }] }];
  server.answer = () => ({
    status: 200,
    headers: { 'preference-applied': 'handling=lenient' },
    body: { received: 3, stored: 2, duplicates: 0, rejected_total: 1, rejected },
  });
  const sender = createTestSender();
  sender.start();
  await sender.drain();
  await sender.stop(1000);
  expect(server.stored.toSorted()).toEqual(['e1', 'e3']);
  expect(spool.part('a').deadLetters(10)).toMatchObject([
    { reason: 'subject required: is missing', record: '{"id":"e2"}' },
  ]);
});

test('a refused token stops sending and keeps everything, which then arrives', async () => {
  await fill(ids(30));
  server.answer = () => ({ status: 401 });
  const sender = createTestSender();
  sender.start();
  await expect.poll(() => sender.counts.isTokenRefused, { timeout: 20_000 }).toBe(true);
  await sender.stop(1000);
  expect(spool.part('a').counts.events).toBe(30);
  server.answer = () => ({ status: 204 });
  const next = createTestSender();
  next.start();
  await next.drain();
  await next.stop(1000);
  expect(server.stored.toSorted()).toEqual(ids(30).toSorted());
});

test('what comes in while it sends leaves by itself, at the latest after the period', async () => {
  const sender = createTestSender({ count: 1000, periodMs: 20 });
  sender.start();
  for (let index = 1; index <= 5; index++) await fill(ids(3, index * 10));
  await expect.poll(() => server.stored.length, { timeout: 20_000 }).toBe(15);
  await sender.stop(1000);
});

test('an endpoint that is down keeps nobody: stopping is quick, and nothing is lost', async () => {
  await fill(ids(5));
  await server.close();
  const sender = createTestSender();
  sender.start();
  await expect.poll(() => lines.join('\n'), { timeout: 20_000 }).toContain('events wait in the spool');
  await sender.stop(60_000);
  expect(spool.part('a').counts.events).toBe(5);
  server = await startIngestServer();
});
