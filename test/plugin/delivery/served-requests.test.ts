import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../plugin/delivery/clock.ts';
import { endpointKey } from '../../../plugin/delivery/origin.ts';
import { createRareLog } from '../../../plugin/delivery/rare-log.ts';
import { addServed, type Served } from '../../../plugin/delivery/served.ts';
import { watchServedRequests } from '../../../plugin/delivery/served-requests.ts';
import { type KongStatus, startKongStatus } from './support/kong-status.ts';
import { until } from './support/rig.ts';

/** One process of a gateway. */
function startProcess({ url }: KongStatus) {
  const lines: string[] = [];
  const state = { entries: 0, served: { requests: 0, entries: 0 } as Served, lines };
  const watching = watchServedRequests({
    settings: { url, intervalMs: 10 },
    clock: systemClock,
    rareLog: createRareLog((level, msg, fields) => lines.push(`${level} ${msg}: ${fields?.['code']}`), systemClock),
    entries: () => state.entries,
    onServed: (more) => {
      state.served = addServed(state.served, more);
    },
  });
  onTestFinished(() => watching.close());
  return Object.assign(state, { close: watching.close });
}

/** Until a reading has begun and ended from here on. */
async function readings(kong: KongStatus): Promise<void> {
  const { asked } = kong;
  await until(() => expect(kong.asked).toBeGreaterThan(asked + 2));
}

test('what was served and what arrived are those of the same time, also over a restart of Kong', async () => {
  const kong = await startKongStatus();
  const process = startProcess(kong);
  process.entries = 3;
  await readings(kong);
  expect(process.served).toEqual({ requests: 0, entries: 0 });
  kong.total += 50;
  process.entries += 47;
  await until(() => expect(process.served).toEqual({ requests: 50, entries: 47 }));
  // Restarted: what was served before, and not read, is not known, and what arrived meanwhile not counted.
  kong.total = 20;
  process.entries += 30;
  await readings(kong);
  kong.total += 10;
  process.entries += 9;
  await until(() => expect(process.served).toEqual({ requests: 60, entries: 56 }));
  expect([kong.connections, process.lines]).toEqual([1, []]);
});

test('a status that is nonsense or none costs a line, and only the readings that it spoils', async () => {
  const kong = await startKongStatus();
  const process = startProcess(kong);
  await readings(kong);
  const count = (total: unknown) => JSON.stringify({ server: { total_requests: total } });
  const bodies = ['', 'no JSON', 'null', '[]', '{}', '{"server":7}', count(-1), count(1.5), count('12'), count(null)];
  const nonsense = [...bodies, count(2 ** 53), `${count(5)}${' '.repeat(100_000)}`];
  kong.instead.push(
    ...nonsense.map((body) => (response: Parameters<KongStatus['instead'][number]>[0]) => void response.end(body)),
    (response) => response.writeHead(503).end(count(5)),
    (response) => response.destroy(),
    (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.destroy();
    },
  );
  await until(() => expect(kong.instead).toHaveLength(0));
  kong.total += 5;
  process.entries += 4;
  await until(() => expect(process.served.entries).toBe(4));
  // Kong has answered these, too.
  expect(process.served.requests).toBe(5 + nonsense.length + 3);
  expect(process.lines).toEqual([
    "warn the gateway's status cannot be read: NO_JSON",
    "info the gateway's status can be read again: undefined",
  ]);
});

test('of several processes one reads for all, and another when it is gone', async () => {
  const kong = await startKongStatus();
  const [first, second, third] = [startProcess(kong), startProcess(kong), startProcess(kong)];
  const all = [first, second, third];
  const sum = () => all.map(({ served }) => served).reduce(addServed, { requests: 0, entries: 0 });
  /** A request each, until one has heard of all: those of a process count from when it has found the others. */
  async function together(): Promise<void> {
    await until(async () => {
      const before = sum();
      await readings(kong);
      kong.total += 4;
      for (const process of all) process.entries++;
      await until(() => expect(sum().requests).toBe(before.requests + 4));
      expect(sum().entries - before.entries).toBe(all.length);
    });
  }
  await together();
  const readers = () => all.filter(({ served }) => served.requests > 0);
  expect(readers()).toHaveLength(1);
  const gone = readers()[0];
  gone?.close();
  const told = gone?.served;
  all.splice(0, 3, ...all.filter((process) => process !== gone));
  await together();
  expect(readers()).toHaveLength(1);
  expect(gone?.served).toEqual(told);
  expect(all.flatMap(({ lines }) => lines)).toEqual([]);
});

test('whoever has the name and tells nothing, or nonsense, costs the figures and nothing else', async () => {
  const kong = await startKongStatus();
  const name = `\0metering-entries-${endpointKey(kong.url)}`;
  const stranger = createServer((socket) => void socket.end('\0'.repeat(1000)));
  await new Promise<void>((resolve) => stranger.listen(name, resolve));
  const process = startProcess(kong);
  await new Promise<void>((resolve) => stranger.once('connection', () => resolve()));
  stranger.close();
  await until(() => expect(kong.asked).toBeGreaterThan(2));
  const nonsense = `1\n-5\n12345678901234567890\n1e9\n\n${'x'.repeat(1000)}`;
  const other = connect(name, () => other.write(nonsense));
  // The reader hangs up.
  await new Promise<void>((resolve) => other.resume().once('close', () => resolve()));
  kong.total += 7;
  await until(() => expect(process.served).toEqual({ requests: 7, entries: 0 }));
  expect(process.lines).toEqual([]);
});
