// The billing run of bench/billing-run.ts, in a process of its own, so that its memory is that of billing alone.
//   node bench/billing-process.ts FOLDER NOW_IN_MILLISECONDS

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAccessTokens } from '../backend/access/access-tokens/index.ts';
import { createBackend, startRollups } from '../backend/app.ts';
import { openSqliteUsageStore } from '../backend/metering/usage-store/index.ts';
import { openControlDb } from '../backend/platform/db/control-db.ts';
import { createIds } from '../backend/platform/ids.ts';
import { createLogger } from '../backend/platform/log.ts';
import { createScope } from '../backend/platform/scope.ts';

/** What the process prints, as JSON. */
export interface BillingMeasured {
  seconds: number;
  /** Of all threads. */
  cpuSeconds: number;
  failed: number;
  beforeMb: number;
  peakMb: number;
}

/** A whole backend over the files of a folder. */
export async function openBackend(folder: string, clock: { nowMs(): number }) {
  const newId = createIds(clock);
  const usage = await openSqliteUsageStore(join(folder, 'usage.sqlite'), clock);
  const migrations = fileURLToPath(new URL('../backend/migrations', import.meta.url));
  const db = openControlDb(join(folder, 'control.sqlite'), migrations);
  const token = 'bench-token-0123456789';
  const log = createLogger('error');
  const tokens = await createAccessTokens({
    scope: createScope({ db, clock, newId, log }),
    configured: [{ name: 'bench', role: 'admin', token }],
  });
  const backend = createBackend({ usage, db, clock, newId, log, tokens, maxBodyBytes: 20_000_000, version: 'bench' });
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await backend.app.request(`/v3/openmeter${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    backend,
    usage,
    ask,
    startRollups: () => startRollups({ usage, db }),
    close: async () => {
      await usage.close();
      await db.close();
    },
  };
}

async function bill(folder: string, nowMs: number): Promise<BillingMeasured> {
  const { backend, ask, startRollups, close } = await openBackend(folder, { nowMs: () => nowMs });
  await startRollups();
  const beforeMb = process.memoryUsage().rss / 1_048_576;
  await backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
  const beganAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await backend.billingRuns.runner.work();
  const seconds = (performance.now() - beganAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const [run] = (await ask('GET', '/billing/runs')).data;
  await close();
  return { seconds, cpuSeconds, failed: run.failed, beforeMb, peakMb };
}

const [folder, now] = process.argv.slice(2);
if (import.meta.main && folder !== undefined && now !== undefined) {
  process.stdout.write(`${JSON.stringify(await bill(folder, Number.parseInt(now, 10)))}\n`);
}
