import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { machineUptimeMs, systemClock } from '../../../../plugin/delivery/clock.ts';
import { createRareLog } from '../../../../plugin/delivery/rare-log.ts';
import type { AccountReport } from '../../../../plugin/delivery/served/account.ts';
import { openServed } from '../../../../plugin/delivery/served/served.ts';
import { createTallyBook } from '../../../../plugin/delivery/served/tally.ts';
import { readTally } from '../../../../plugin/delivery/served/tally-file.ts';
import { type KongStatus, startKongStatus } from '../support/kong-status.ts';
import { until } from '../support/rig.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'served-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

/** A plugin server of a gateway. */
function startServer({ url }: KongStatus, node = 'gw-1') {
  const state = { report: undefined as AccountReport | undefined, lines: [] as string[], trouble: 0 };
  const served = openServed({
    settings: { url, intervalMs: 10 },
    dir,
    node,
    clock: systemClock,
    uptimeMs: machineUptimeMs,
    rareLog: createRareLog((level, msg, fields) => state.lines.push(`${level} ${msg}: ${fields?.['code']}`), systemClock),
    onTrouble: () => state.trouble++,
    onReport: (report) => {
      state.report = report;
    },
  });
  onTestFinished(served.close);
  return Object.assign(state, { ...served, counter: served.openCounter() });
}

type Server = ReturnType<typeof startServer>;

function count({ counter, settle }: Server, times: number, outcome = 'metered'): void {
  for (let time = 0; time < times; time++) counter(outcome);
  settle();
}

/** Until so many readings have begun and ended from here on. */
async function readings(kong: KongStatus, times = 4): Promise<void> {
  const { asked } = kong;
  await until(() => expect(kong.asked).toBeGreaterThan(asked + times));
}

/** In the abstract namespace. */
function seatName(): string {
  const names = readFileSync('/proc/net/unix', 'latin1').matchAll(/@(metering-served-\S+)/g);
  return [...names].at(-1)?.[1] ?? '';
}

const lastOf = (...servers: Server[]) =>
  servers
    .flatMap(({ report }) => report ?? [])
    .toSorted((a, b) => a.revision - b.revision)
    .at(-1);

test('what was served, what arrived, and the rest stand side by side, and readings are no requests', async () => {
  const kong = await startKongStatus();
  const server = startServer(kong);
  await readings(kong);
  kong.total += 50;
  count(server, 40);
  count(server, 6, 'no_subject');
  await readings(kong);
  expect(server.report).toMatchObject({ served: 50, outcomes: { metered: 40, no_subject: 6 }, unexplained: 4 });
  kong.total += 5;
  kong.writing += 5;
  await readings(kong);
  expect(server.report).toMatchObject({ served: 50, unexplained: 4 });
  expect([kong.connections, server.lines, server.trouble]).toEqual([1, [], 0]);
});

test('of several servers one reads for all, and another when it is gone; nothing is forgotten in between', async () => {
  const kong = await startKongStatus();
  const servers = [startServer(kong), startServer(kong), startServer(kong)];
  await readings(kong);
  kong.total += 33;
  for (const server of servers) count(server, 10);
  await readings(kong);
  const readers = servers.filter(({ report }) => report !== undefined);
  expect(readers).toHaveLength(1);
  expect(lastOf(...servers)).toMatchObject({ served: 33, outcomes: { metered: 30 }, unexplained: 3 });
  await readers[0]?.close();
  const left = servers.filter((server) => !readers.includes(server));
  // Nobody reads.
  kong.total += 25;
  for (const server of left) count(server, 10);
  await until(() => expect(lastOf(...left)).toMatchObject({ served: 58, outcomes: { metered: 50 }, unexplained: 8 }));
  expect(servers.flatMap(({ lines }) => lines)).toEqual([]);
});

test('the next server goes on where the last one ended: what was served in between is lost, and named', async () => {
  const kong = await startKongStatus();
  const first = startServer(kong);
  await readings(kong);
  kong.total += 10;
  count(first, 10);
  await readings(kong);
  await first.close();
  kong.total += 46;
  const second = startServer(kong);
  kong.total += 554;
  count(second, 554);
  await until(() => expect(second.report).toMatchObject({ served: 610, outcomes: { metered: 564 }, unexplained: 46 }));
  expect(second.report?.id).toBe(first.report?.id);
});

test('a folder that is removed is made anew with what was in it', async () => {
  const kong = await startKongStatus();
  const server = startServer(kong);
  await readings(kong);
  kong.total += 12;
  count(server, 10);
  await readings(kong);
  rmSync(join(dir, 'served'), { recursive: true });
  kong.total += 5;
  count(server, 5);
  await readings(kong);
  expect(server.report).toMatchObject({ served: 17, outcomes: { metered: 15 }, unexplained: 2 });
  expect(readdirSync(join(dir, 'served'))).toHaveLength(1);
});

test('gateways that share a folder have an account each', async () => {
  const [one, other] = [await startKongStatus(), await startKongStatus()];
  const servers = [startServer(one, 'gw-1'), startServer(other, 'gw-2')];
  await Promise.all([readings(one), readings(other)]);
  one.total += 10;
  for (const server of servers) count(server, 8);
  other.total += 9;
  await Promise.all([readings(one), readings(other)]);
  expect(servers.map(({ report }) => report)).toMatchObject([
    { served: 10, outcomes: { metered: 8 }, unexplained: 2 },
    { served: 9, outcomes: { metered: 8 }, unexplained: 1 },
  ]);
});

test('a status that is nonsense or none costs a line, and no request is taken for lost', async () => {
  const kong = await startKongStatus();
  const server = startServer(kong);
  await readings(kong);
  const counts = (total: unknown) => JSON.stringify({ server: { total_requests: total } });
  const bodies = ['', 'no JSON', 'null', '[]', '{}', '{"server":7}', counts(-1), counts(1.5), counts('12'), counts(null)];
  const nonsense = [...bodies, counts(2 ** 53), `${counts(5)}${' '.repeat(100_000)}`];
  kong.instead.push(
    ...nonsense.map((body) => (response: Parameters<KongStatus['instead'][number]>[0]) => void response.end(body)),
    (response) => response.writeHead(503).end(counts(5)),
    (response) => response.destroy(),
    (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.destroy();
    },
  );
  await until(() => expect(kong.instead).toHaveLength(0));
  kong.total += 5;
  count(server, 4);
  await readings(kong);
  expect(server.report).toMatchObject({ served: 5, outcomes: { metered: 4 }, unexplained: 1 });
  expect(server.lines).toEqual([
    "warn the gateway's status cannot be read: NO_JSON",
    "info the gateway's status can be read again: undefined",
  ]);
});

test('whoever has the name of the reader and talks nonsense is hung up on', async () => {
  const kong = await startKongStatus();
  const server = startServer(kong);
  await readings(kong);
  const name = seatName();
  const stranger = connect(`\0${name}`, () => stranger.write('x'.repeat(1000)));
  await new Promise<void>((resolve) => stranger.resume().once('close', () => resolve()));
  kong.total += 7;
  await readings(kong);
  expect(server.report).toMatchObject({ served: 7, unexplained: 7 });
});

test('a disk that refuses costs the memory of it, and no count while the process lives', async () => {
  const kong = await startKongStatus();
  writeFileSync(join(dir, 'served'), 'in the way');
  const server = startServer(kong);
  await readings(kong);
  kong.total += 5;
  count(server, 4);
  await readings(kong);
  expect(server.report).toMatchObject({ served: 5, outcomes: { metered: 4 }, unexplained: 1 });
  expect(server.trouble).toBeGreaterThan(0);
});

/** What a process has written, with the clocks in the test's hands. */
function openBook(process: string, at: { ms: number }, runStarts: () => number[] = () => []) {
  const book = createTallyBook({
    folder: dir,
    process,
    boot: 'b',
    clock: systemClock,
    uptimeMs: () => at.ms,
    runStarts,
    onTrouble: (error) => {
      throw error;
    },
  });
  onTestFinished(book.close);
  return book;
}

test('a request that Kong tells of once more, since a process was killed before it answered, counts once', () => {
  const at = { ms: 1000 };
  const killed = openBook('killed', at);
  const before = killed.openCounter();
  before('metered', 'r-1');
  killed.settle();
  before('metered', 'r-2');
  before('no_subject', 'r-3');
  killed.settle();
  const next = openBook('next', at);
  const counter = next.openCounter();
  for (const id of ['r-2', 'r-3', 'r-4', 'r-4']) counter('metered', id);
  next.settle();
  expect(readTally(dir, 'killed')?.generations).toEqual([{ bornAtMs: 1000, outcomes: { metered: 2, no_subject: 1 } }]);
  expect(readTally(dir, 'next')?.generations).toEqual([{ bornAtMs: 1000, outcomes: { metered: 2 } }]);
});

test('instances that are started all the time need no more room, and those of one run are never taken for the next', () => {
  const at = { ms: 1000 };
  const book = openBook('one', at, () => [60_500]);
  const counters = Array.from({ length: 100 }, () => {
    at.ms += 1000;
    return book.openCounter();
  });
  for (let round = 0; round < 3; round++) {
    for (const counter of counters) counter('metered', 'x'.repeat(40));
    book.settle();
  }
  const generations = readTally(dir, 'one')?.generations ?? [];
  const countOf = (isBefore: boolean) =>
    generations
      .filter(({ bornAtMs }) => bornAtMs < 60_500 === isBefore)
      .reduce((sum, { outcomes }) => sum + (outcomes['metered'] ?? 0), 0);
  expect([countOf(true), countOf(false)]).toEqual([59 * 3, 41 * 3]);
  expect(generations.length).toBeLessThan(20);
});
