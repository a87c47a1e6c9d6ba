import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Collector, startCollector } from './support/collector.ts';
import { ask } from './support/load.ts';
import { KONG, prepareKong, type RealKong } from './support/real-kong.ts';

const NOBODY = 65_534;
const TIMEOUT_MS = 120_000;
/** Only root starts a Kong whose workers are somebody else. */
const CAN_RUN = KONG !== undefined && process.getuid?.() === 0;

let kong: RealKong | undefined;
let collector: Collector | undefined;

afterEach(async () => {
  await kong?.remove();
  collector?.close();
});

describe.skipIf(!CAN_RUN)('on a real Kong whose workers may not write to its prefix', () => {
  test(
    'clients are served, nothing is metered, and the log says why until they may',
    async () => {
      collector = await startCollector();
      kong = await prepareKong({
        installation: 'managed',
        endpoint: collector.url,
        env: { METERING_SPOOL: 'off' },
        conf: { nginx_user: 'nobody nogroup' },
      });
      chmodSync(kong.folder, 0o755);
      const { log, proxy, folder, run } = kong;
      await run('start');
      const sentence = `the user nobody may not write to ${join(folder, 'prefix')}`;
      await expect.poll(log).toContain(sentence);
      const status = async () => (await ask(undefined, proxy, '/metered'))?.status;
      expect(await status()).toBe(200);
      const tries = async () => (await log()).split(sentence).length - 1;
      const before = await tries();
      await expect.poll(tries).toBeGreaterThan(before);
      expect(collector.ids.size).toBe(0);

      // What the sentence says.
      chownSync(join(folder, 'prefix'), NOBODY, NOBODY);
      await expect.poll(log).toContain('the plugin server listens');
      await expect
        .poll(async () => {
          await status();
          return collector?.ids.size;
        })
        .toBeGreaterThan(0);
      const levels = (await log()).split('\n').filter((line) => line.includes(sentence));
      process.stdout.write(`${levels[0]}\n`);
    },
    TIMEOUT_MS,
  );
});
