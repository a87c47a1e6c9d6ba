import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Collector, startCollector } from './support/collector.ts';
import { type Load, startLoad } from './support/load.ts';
import { type Installation, KONG, prepareKong, type RealKong, type RealKongOptions } from './support/real-kong.ts';

const TIMEOUT_MS = 600_000;
/** What the load does between two of them. */
const BETWEEN_MS = 2500;

let kong: RealKong | undefined;
let collector: Collector | undefined;
let loads: Load[] = [];

afterEach(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await kong?.remove();
  collector?.close();
  [loads, kong, collector] = [[], undefined, undefined];
});

async function start(installation: Installation, more: Partial<RealKongOptions> = {}): Promise<RealKong> {
  collector = await startCollector();
  const env = { METERING_REQUESTS_LOG_INTERVAL_MS: '1000', METERING_NODE: 'real' };
  kong = await prepareKong({ installation, endpoint: collector.url, countsRequests: true, env, ...more });
  await kong.run('start');
  return kong;
}

function load(port: number, path = '/metered'): Load {
  const started = startLoad(port, path, 8);
  loads.push(started);
  return started;
}

/**
 * The account against what the clients got: each answer is served, and each without an event is unexplained, or has a
 * reason why there is none.
 */
async function expectExactly(what: string, notMetered = ''): Promise<void> {
  await Promise.all(loads.map(({ stop }) => stop()));
  const answered = loads.flatMap((one) => one.answered);
  const [, unmetered = '0'] = notMetered.split('=');
  const lost = () => answered.filter((id) => !collector?.ids.has(id)).length - Number.parseInt(unmetered, 10);
  const told = () => collector?.accounts.at(-1);
  await expect
    .poll(told, { timeout: 30_000, interval: 500 })
    .toMatchObject({ served: answered.length, metered: answered.length - lost() - Number.parseInt(unmetered, 10) })
    .catch(() => undefined);
  // What has been told may be what is on its way: three readings more.
  await delay(6000);
  process.stdout.write(`${what}: ${answered.length} answered, ${lost()} lost; told ${JSON.stringify(told())}\n`);
  expect(told()).toMatchObject({ served: answered.length, unexplained: lost(), notMetered });
}

describe.skipIf(KONG === undefined)('on a real Kong the account says exactly what was lost', () => {
  test.each(['managed', 'service', 'bare'] as const)(
    'at the start, and in reloads, with a %s plugin server',
    async (installation) => {
      const { proxy, run } = await start(installation);
      load(proxy);
      for (let round = 0; round < 3; round++) {
        await delay(BETWEEN_MS);
        await run('reload');
      }
      await delay(BETWEEN_MS);
      await expectExactly(`${installation}, start and three reloads`);
    },
    TIMEOUT_MS,
  );

  test.each(['managed', 'bare'] as const)(
    'in restarts that end Kong at once, with a %s plugin server',
    async (installation) => {
      const { proxy, run } = await start(installation);
      load(proxy);
      for (let round = 0; round < 2; round++) {
        await delay(BETWEEN_MS);
        await run('restart');
      }
      await delay(BETWEEN_MS);
      await expectExactly(`${installation}, start and two restarts`);
    },
    TIMEOUT_MS,
  );
});
