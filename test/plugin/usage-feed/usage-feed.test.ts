import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../delivery/clock.ts';
import { readMessage, writeMessage, writeStatus } from '../../../plugin/usage-feed/messages.ts';
import { openUsageFeedReader, type UsageFeedReader } from '../../../plugin/usage-feed/receiver.ts';
import { createUsageFeed } from '../../../plugin/usage-feed/sender.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';

let folder: string;
let path: string;
let reader: UsageFeedReader;
const logged: [string, number][] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feed-'));
  path = join(folder, 'usage-feed.sock');
  logged.length = 0;
  reader = open();
});
afterEach(() => {
  reader.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(clock: Clock = systemClock, at = path): UsageFeedReader {
  const opened = openUsageFeedReader(at, clock, (error) => {
    throw error;
  });
  opened.onLogged((subject, count) => logged.push([subject, count]));
  return opened;
}

const prompt = (tokens: number) => ({ subject: 'alice', type: 'kong.llm_request', data: { tokens } });
const tokens = () => reader.totals('alice', 'kong.llm_request', 'tokens');

it('tells what was made, and what of it has arrived', async () => {
  const feed = createUsageFeed(path, systemClock);
  await expect.poll(() => reader.isConnected()).toBe(true);
  feed.made('e1', prompt(70));
  feed.made('e2', prompt(30));
  feed.logged('alice');
  await expect.poll(tokens).toEqual({ made: 100, settled: 0 });
  expect(reader.totals('alice', 'kong.llm_request', 'count')).toEqual({ made: 2, settled: 0 });
  expect(logged).toEqual([['alice', 1]]);
  feed.settled(['e1', 'unknown']);
  await expect.poll(tokens).toEqual({ made: 100, settled: 70 });
  expect(reader.totals('bob', 'kong.llm_request', 'tokens')).toEqual({ made: 0, settled: 0 });
});

it('adds up what several senders tell', async () => {
  const feeds = [createUsageFeed(path, systemClock), createUsageFeed(path, systemClock)];
  await expect.poll(() => reader.isConnected()).toBe(true);
  for (const feed of feeds) {
    // Until it is connected, too.
    await expect
      .poll(() => {
        feed.logged('alice');
        return logged.length;
      })
      .toBeGreaterThan(0);
    logged.length = 0;
    feed.made(`e${Math.random()}`, prompt(5));
  }
  await expect.poll(() => tokens().made).toBe(10);
});

it('tells a reader that starts again what is on its way, and what arrived shortly before as if it were', async () => {
  const feed = createUsageFeed(path, systemClock);
  await expect.poll(() => reader.isConnected()).toBe(true);
  feed.made('e1', prompt(70));
  feed.made('e2', prompt(30));
  feed.settled(['e1']);
  await expect.poll(tokens).toEqual({ made: 100, settled: 70 });
  reader.close();
  reader = open();
  await expect.poll(tokens).toEqual({ made: 100, settled: 70 });
  feed.settled(['e2']);
  await expect.poll(tokens).toEqual({ made: 100, settled: 100 });
});

it('tells a reader that comes later what ended since it was last looked for, and nothing from before', async () => {
  const clock = createManualClock();
  const at = join(folder, 'later.sock');
  let attempts = 0;
  const counting: Clock = {
    ...clock,
    setTimer(...timer) {
      attempts += 1;
      return clock.setTimer(...timer);
    },
  };
  const feed = createUsageFeed(at, counting);
  feed.logged('before');
  feed.made('before', prompt(1));
  await expect.poll(() => attempts).toBe(1);
  feed.logged('alice');
  feed.logged('alice');
  feed.made('e1', prompt(70));
  reader.close();
  reader = open(systemClock, at);
  await expect.poll(() => existsSync(at)).toBe(true);
  clock.advance(200);
  await expect.poll(tokens).toEqual({ made: 70, settled: 0 });
  expect(logged).toEqual([['alice', 2]]);
});

it('counts what a dead sender has not delivered until there is one, and none that is still delivering it', async () => {
  const clock = createManualClock();
  const at = join(folder, 'of-the-test.sock');
  reader.close();
  reader = open(clock, at);
  await expect.poll(() => existsSync(at)).toBe(true);
  const senders = async (isAdopting: boolean) => {
    const socket = connect(at);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(writeStatus(isAdopting));
    return socket;
  };
  const dying = await senders(false);
  const types = { 'kong.llm_request': { made: [2, 100, 0, 0], settled: [1, 30, 0, 0] } };
  dying.write(writeMessage({ subject: 'alice', generation: 1, logged: 1, types }));
  await expect.poll(tokens).toEqual({ made: 100, settled: 30 });
  expect(reader.tellsAll()).toBe(true);
  dying.destroy();
  await expect.poll(() => reader.isConnected()).toBe(false);
  clock.advance(60_000);
  expect(tokens()).toEqual({ made: 100, settled: 30 });
  const successor = await senders(true);
  await expect.poll(() => reader.isConnected()).toBe(true);
  clock.advance(60_000);
  expect(reader.tellsAll()).toBe(false);
  expect(tokens()).toEqual({ made: 100, settled: 30 });
  successor.write(writeStatus(false));
  await expect.poll(() => reader.tellsAll()).toBe(true);
  clock.advance(1000);
  expect(tokens()).toEqual({ made: 100, settled: 100 });
  successor.destroy();
});

it('tells that it is delivering what a dead process has left, and when it has', async () => {
  let isAdopting = true;
  createUsageFeed(path, systemClock, () => isAdopting);
  await expect.poll(() => reader.isConnected()).toBe(true);
  expect(reader.tellsAll()).toBe(false);
  isAdopting = false;
  await expect.poll(() => reader.tellsAll()).toBe(true);
});

it('reads no other language', () => {
  for (const line of ['', '{}', '[]', '["alice",1,1,[["t",[1],[1]]]]', '["alice",1,-1,[]]', '["alice",1,1,{}]']) {
    expect(readMessage(line)).toBeUndefined();
  }
});
