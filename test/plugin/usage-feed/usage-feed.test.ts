import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../plugin/delivery/clock.ts';
import { readMessage } from '../../../plugin/usage-feed/messages.ts';
import { openUsageFeedReader, type UsageFeedReader } from '../../../plugin/usage-feed/receiver.ts';
import { createUsageFeed } from '../../../plugin/usage-feed/sender.ts';

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

function open(): UsageFeedReader {
  const opened = openUsageFeedReader(path, systemClock, (error) => {
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

it('reads no other language', () => {
  for (const line of ['', '{}', '[]', '["alice",1,1,[["t",[1],[1]]]]', '["alice",1,-1,[]]', '["alice",1,1,{}]']) {
    expect(readMessage(line)).toBeUndefined();
  }
});
