import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Collector, startCollector } from './support/collector.ts';
import { type Load, startLoad } from './support/load.ts';
import { type Installation, KONG, prepareKong, type RealKong } from './support/real-kong.ts';

const LONG = process.env['LONG'] === '1';
const [RELOADS, RESTARTS, KILLS] = LONG ? [20, 5, 20] : [2, 1, 2];
const TIMEOUT_MS = LONG ? 3_600_000 : 300_000;
/** What the load does between two of them. */
const BETWEEN_MS = 2000;

let kong: RealKong | undefined;
let collector: Collector | undefined;
let load: Load | undefined;

afterEach(async () => {
  await load?.stop();
  await kong?.remove();
  collector?.close();
  [load, kong, collector] = [undefined, undefined, undefined];
});

async function start(installation: Installation, protocol?: 'msgpack'): Promise<RealKong> {
  collector = await startCollector();
  // Or the events of a busy machine are still on their way long after the last request.
  const queue = { max_batch_size: 100, max_entries: 100_000 };
  kong = await prepareKong({ installation, endpoint: collector.url, queue, ...(protocol && { protocol }) });
  await kong.run('start');
  // The window of a first start is over when the first event has arrived.
  const warmUp = startLoad(kong.proxy, '/metered', 1);
  await expect.poll(() => collector?.ids.size, { timeout: 60_000 }).toBeGreaterThan(0);
  await warmUp.stop();
  load = startLoad(kong.proxy);
  await delay(BETWEEN_MS);
  return kong;
}

/** Every request that was answered has one event. */
async function expectNothingLost(what: string): Promise<void> {
  await delay(BETWEEN_MS);
  await load?.stop();
  const answered = load?.answered ?? [];
  const lost = (): readonly string[] => answered.filter((id) => !collector?.ids.has(id));
  await untilNoneArrives(lost);
  const statuses = JSON.stringify([...(load?.statuses ?? [])]);
  process.stdout.write(`${what}: ${lost().length} of ${answered.length} lost, answers ${statuses}\n`);
  expect(lost()).toEqual([]);
  expect([...(load?.statuses.keys() ?? [])]).toEqual([200]);
}

/** Waits for as long as events arrive; what is on its way is not lost. */
async function untilNoneArrives(lost: () => readonly string[]): Promise<void> {
  for (let left = lost().length; left > 0; left = lost().length) {
    const arrived = await expect
      .poll(() => lost().length, { timeout: 30_000 })
      .toBeLessThan(left)
      .then(() => true)
      .catch(() => false);
    if (!arrived) return;
  }
}

async function killAgainAndAgain({ serverPids }: RealKong, which: 'serving' | 'first'): Promise<void> {
  for (let round = 0; round < KILLS; round++) {
    const [pid = 0] = await serverPids(which);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => serverPids(which)).not.toContain(pid);
    await expect.poll(async () => (await serverPids(which)).length, { timeout: 60_000 }).toBeGreaterThan(0);
    await delay(BETWEEN_MS);
  }
}

describe.skipIf(KONG === undefined)('on a real Kong, under load', () => {
  describe.each(['managed', 'service'] as const)('with a %s plugin server', (installation) => {
    test(
      `${RELOADS} reloads lose nothing`,
      async () => {
        const { run } = await start(installation);
        for (let round = 0; round < RELOADS; round++) {
          await run('reload');
          await delay(BETWEEN_MS);
        }
        await expectNothingLost(`${installation}, ${RELOADS} reloads`);
      },
      TIMEOUT_MS,
    );

    test(
      `${RESTARTS} restarts lose nothing`,
      async () => {
        const { run } = await start(installation);
        for (let round = 0; round < RESTARTS; round++) {
          // Not `restart`: it ends Kong at once, and Kong drops the log phases that it has not run. So does `quit` after
          // ten seconds, which a busy machine may need.
          await run('quit -t 60');
          await run('start');
          await delay(BETWEEN_MS);
        }
        await expectNothingLost(`${installation}, ${RESTARTS} restarts`);
      },
      TIMEOUT_MS,
    );

    test(
      `${KILLS} SIGKILLs of the serving process lose nothing`,
      async () => {
        await killAgainAndAgain(await start(installation), 'serving');
        await expectNothingLost(`${installation}, ${KILLS} SIGKILLs of the serving process`);
      },
      TIMEOUT_MS,
    );

    test(
      `${KILLS} SIGKILLs of the first process lose nothing`,
      async () => {
        await killAgainAndAgain(await start(installation), 'first');
        await expectNothingLost(`${installation}, ${KILLS} SIGKILLs of the first process`);
      },
      TIMEOUT_MS,
    );

    test(
      'a process that hangs is replaced, and nothing is lost',
      async () => {
        const { serverPids } = await start(installation);
        const [pid = 0] = await serverPids('serving');
        process.kill(pid, 'SIGSTOP');
        await expect.poll(() => serverPids('serving'), { timeout: 60_000 }).not.toContain(pid);
        await expectNothingLost(`${installation}, hung`);
      },
      TIMEOUT_MS,
    );
  });
});
