import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../delivery/clock.ts';
import { createRareLog } from '../../../../delivery/rare-log.ts';
import type { AccountReport } from '../../../../plugin/delivery/served/account.ts';
import { openServed } from '../../../../plugin/delivery/served/served.ts';
import { createTallyBook } from '../../../../plugin/delivery/served/tally.ts';
import { readTally } from '../../../../plugin/delivery/served/tally-file.ts';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { serve } from '../../../support/plugin/requests-log.ts';
import { until } from '../../../support/plugin/rig.ts';

let dir: string;
let log: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'served-'));
  log = join(dir, 'requests.log');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

/** A plugin server of a gateway. */
function startServer({ path = log, node = 'gw-1', clock = systemClock } = {}) {
  const state = { report: undefined as AccountReport | undefined, readings: 0, lines: [] as string[], trouble: 0 };
  const served = openServed({
    settings: { path, intervalMs: 5 },
    dir: join(dir, 'spool'),
    node,
    clock,
    rareLog: createRareLog(
      (level, msg, fields) => state.lines.push(`${level} ${msg}: ${fields?.['code']}`),
      systemClock,
    ),
    onTrouble: () => state.trouble++,
    onReport: (report) => {
      state.report = report;
      state.readings++;
    },
  });
  onTestFinished(served.close);
  return Object.assign(state, served);
}

type Server = ReturnType<typeof startServer>;

function count(server: Server, times: number, outcome = 'metered'): void {
  for (let time = 0; time < times; time++) server.count(outcome);
  server.settle();
}

/** Until so many readings have begun and ended from here on. */
async function readings(...servers: Server[]): Promise<void> {
  const sum = () => servers.reduce((all, server) => all + server.readings, 0);
  const before = sum();
  await until(() => expect(sum()).toBeGreaterThan(before + 4));
}

test('what was served, what arrived, and the rest stand side by side', async () => {
  const server = startServer();
  await readings(server);
  serve(log, 50);
  count(server, 40);
  count(server, 6, 'no_subject');
  await readings(server);
  expect(server.report).toMatchObject({ served: 50, outcomes: { metered: 40, no_subject: 6 }, unexplained: 4 });
  expect([server.lines, server.trouble]).toEqual([[], 0]);
});

test('of several servers one reads for all, and another when it is gone; nothing is forgotten in between', async () => {
  const servers = [startServer(), startServer(), startServer()];
  await readings(...servers);
  serve(log, 33);
  for (const server of servers) count(server, 10);
  await readings(...servers);
  const readers = servers.filter(({ report }) => report !== undefined);
  expect(readers).toHaveLength(1);
  expect(readers[0]?.report).toMatchObject({ served: 33, outcomes: { metered: 30 }, unexplained: 3 });
  await readers[0]?.close();
  const left = servers.filter((server) => !readers.includes(server));
  // Nobody reads.
  serve(log, 25);
  for (const server of left) count(server, 10);
  const report = () => left.find((server) => server.report !== undefined)?.report;
  await until(() => expect(report()).toMatchObject({ served: 58, outcomes: { metered: 50 }, unexplained: 8 }));
  expect(servers.flatMap(({ lines }) => lines)).toEqual([]);
});

test('the next server goes on where the last one ended: what was served in between is lost, and named', async () => {
  const first = startServer();
  serve(log, 10);
  count(first, 10);
  await readings(first);
  await first.close();
  serve(log, 46);
  const second = startServer();
  serve(log, 554);
  count(second, 554);
  await until(() => expect(second.report).toMatchObject({ served: 610, outcomes: { metered: 564 }, unexplained: 46 }));
  expect(second.report?.id).toBe(first.report?.id);
  expect(second.report?.revision).toBeGreaterThan(first.report?.revision ?? 0);
});

test.each([1, -1])('a clock that is set by a day (%i) changes nothing', async (days) => {
  const epochMs = () => Date.now() + days * 86_400_000;
  const first = startServer();
  serve(log, 10);
  count(first, 9);
  await readings(first);
  await first.close();
  serve(log, 3);
  const second = startServer({ clock: { ...systemClock, epochMs } });
  serve(log, 10);
  count(second, 8);
  await readings(second);
  expect(second.report).toMatchObject({ id: first.report?.id, served: 23, unexplained: 6 });
});

test('a spool folder that is removed is made anew with what was in it', async () => {
  const server = startServer();
  serve(log, 12);
  count(server, 10);
  await readings(server);
  rmSync(join(dir, 'spool'), { recursive: true });
  serve(log, 5);
  count(server, 5);
  await readings(server);
  expect(server.report).toMatchObject({ served: 17, outcomes: { metered: 15 }, unexplained: 2 });
  await server.close();
  const next = startServer();
  await readings(next);
  expect(next.report).toMatchObject({ served: 17, outcomes: { metered: 15 }, unexplained: 2 });
});

test('gateways that share a folder have an account each', async () => {
  const other = join(dir, 'other.log');
  const servers = [startServer(), startServer({ node: 'gw-2', path: other })] as const;
  serve(log, 10);
  for (const server of servers) count(server, 8);
  serve(other, 9);
  await Promise.all(servers.map((server) => readings(server)));
  expect(servers.map(({ report }) => report)).toMatchObject([
    { served: 10, outcomes: { metered: 8 }, unexplained: 2 },
    { served: 9, outcomes: { metered: 8 }, unexplained: 1 },
  ]);
});

describe('the log of requests', () => {
  test('is made where there is none, so that it is ours to cut off', () => {
    startServer();
    expect(existsSync(log)).toBe(true);
  });

  test('is cut off when it is large, and nothing is counted twice or not at all', async () => {
    const server = startServer();
    await readings(server);
    const large = 17 * 1024 * 1024;
    writeFileSync(log, Buffer.alloc(large, '\n'), { flag: 'a' });
    await until(() => expect(statSync(log).size).toBe(0));
    serve(log, 7);
    await until(() => expect(server.report).toMatchObject({ served: large + 7, unexplained: large + 7 }));
  });

  test('may be cut off or replaced by others', async () => {
    const server = startServer();
    serve(log, 20);
    count(server, 20);
    await readings(server);
    truncateSync(log);
    serve(log, 5);
    await readings(server);
    renameSync(log, join(dir, 'rotated'));
    serve(log, 30);
    await readings(server);
    expect(server.report).toMatchObject({ served: 55, outcomes: { metered: 20 }, unexplained: 35 });
  });

  test.each([
    ['has more than a byte for each request', () => writeFileSync(log, 'GET /\n'), 'NOT_ONE_BYTE_EACH'],
    ['is not there', () => rmSync(log), 'ENOENT'],
  ])('that %s costs a line, and takes no request for lost', async (_, spoil, code) => {
    const server = startServer();
    serve(log, 5);
    count(server, 5);
    await readings(server);
    spoil();
    await until(() => expect(server.lines).toEqual([`warn the gateway's log of requests cannot be read: ${code}`]));
    writeFileSync(log, '\n'.repeat(8));
    await readings(server);
    expect(server.lines).toHaveLength(2);
    expect(server.report).toMatchObject({ outcomes: { metered: 5 } });
  });
});

test('where nginx does not write the log, nothing is said of what was served, and that in a line', async () => {
  const server = startServer();
  count(server, 3);
  const line = "warn the gateway's log of requests cannot be read: NOT_WRITTEN";
  await until(() => expect(server.lines).toEqual([line]));
  serve(log, 4);
  await readings(server);
  expect(server.report).toMatchObject({ served: 4, outcomes: { metered: 3 }, unexplained: 1 });
});

test('whoever takes the reader for somebody else is hung up on', async () => {
  const server = startServer();
  await readings(server);
  for (const [, name] of readFileSync('/proc/net/unix', 'latin1').matchAll(/@(metering-served-\S+)/g)) {
    const stranger = connect(`\0${name}`, () => stranger.write('x'.repeat(1000)));
    await new Promise<void>((resolve) =>
      stranger
        .resume()
        .on('error', () => undefined)
        .once('close', () => resolve()),
    );
  }
  serve(log, 7);
  await readings(server);
  expect(server.report).toMatchObject({ served: 7, unexplained: 7 });
});

test('a disk that refuses costs the memory of it, and no count while the process lives', async () => {
  writeFileSync(join(dir, 'spool'), 'in the way');
  const server = startServer();
  serve(log, 5);
  count(server, 4);
  await readings(server);
  expect(server.report).toMatchObject({ served: 5, outcomes: { metered: 4 }, unexplained: 1 });
  expect(server.trouble).toBeGreaterThan(0);
});

describe('the counts of a process', () => {
  const openBook = (process: string, clock = createManualClock()) => {
    const fail = (error: unknown) => {
      throw error;
    };
    const book = createTallyBook({ folder: dir, process, clock, onTrouble: fail });
    onTestFinished(book.close);
    return book;
  };

  test('are on disk when they are settled; a request that Kong tells of once more, after a kill, counts once', () => {
    const killed = openBook('killed');
    killed.count('metered', 'r-1');
    killed.settle();
    killed.count('metered', 'r-2');
    killed.count('no_subject', 'r-3');
    expect(readTally(dir, 'killed')?.outcomes).toEqual({ metered: 1 });
    killed.settle();
    const next = openBook('next');
    for (const id of ['r-2', 'r-3', 'r-4', 'r-4']) next.count('metered', id);
    next.settle();
    expect(readTally(dir, 'killed')?.outcomes).toEqual({ metered: 2, no_subject: 1 });
    expect(readTally(dir, 'next')?.outcomes).toEqual({ metered: 2 });
  });

  test('of one that lived beside the killed one know its last requests when they are told of it, for a minute', () => {
    const clock = createManualClock();
    const [killed, other] = [openBook('killed'), openBook('other', clock)];
    for (const id of ['r-1', 'r-2']) killed.count('metered', id);
    killed.settle();
    other.recall();
    other.count('metered', 'r-1');
    clock.advance(61_000);
    other.beat();
    other.count('metered', 'r-2');
    other.settle();
    expect(readTally(dir, 'other')?.outcomes).toEqual({ metered: 1 });
  });

  test('are on disk soon where nobody settles, as under Kong’s own plugin server', () => {
    const clock = createManualClock();
    const book = openBook('stock', clock);
    book.count('metered');
    clock.advance(20);
    expect(readTally(dir, 'stock')?.outcomes).toEqual({ metered: 1 });
  });

  test('have room for the longest ids and the most outcomes', () => {
    const book = openBook('full');
    for (let index = 0; index < 200; index++) book.count(`outcome_${index}`.padEnd(30, 'x'), 'r'.repeat(40));
    for (let index = 0; index < 200; index++) book.count('metered', `${index}`);
    book.settle();
    expect(Object.values(readTally(dir, 'full')?.outcomes ?? {}).reduce((sum, one) => sum + one, 0)).toBe(400);
    expect(readdirSync(join(dir, 'full'))).toContain('tally');
  });
});
