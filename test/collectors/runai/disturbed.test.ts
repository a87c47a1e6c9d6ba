import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCollectProcess } from '../../support/collectors/collect-process.ts';
import { collectorConfig } from '../../support/collectors/collector-config.ts';
import { type IngestServer, startIngestServer } from '../../support/collectors/ingest-server.ts';
import { type RunaiServer, startRunaiServer, type Workload } from '../../support/collectors/runai-server.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/**
 * The usage of a run that nothing disturbs is computed from the lives of the workloads alone. Whatever happens to a collector
 * meanwhile (kills at any moment, two at once, Run:ai or the backend away, cut connections, revoked tokens, errors for one
 * workload, steps of Run:ai's clock), the same comes out of it, slice for slice.
 */
const ROUNDS = process.env['LONG'] === '1' ? 200 : 1;
const STEPS = 5;
const SLICE_MS = 10_000;
const BEGIN = Date.parse('2025-03-31T23:30:00Z');

let runai: RunaiServer;
let server: IngestServer;
let folders: ReturnType<typeof tempFolder>[];
beforeEach(async () => {
  runai = await startRunaiServer(BEGIN);
  server = await startIngestServer();
  folders = [tempFolder(), tempFolder()];
});
afterEach(async () => {
  await runai.close();
  await server.close();
  for (const folder of folders) folder.remove();
});

const MAPPING =
  '{"type": "t", "source": "run_ai", "subject": name, "data": {"seconds": $meta("duration_seconds"), "gpus": allocatedResources.gpu}}';
const configOf = (folder: number) =>
  collectorConfig({
    name: 'runai',
    input: `
run_ai:
  url: "${runai.url}"
  app_id: app
  app_secret: s3cret
  schedule: "@every 10s"
  metrics_offset: 0s
  metrics: [GPU_ALLOCATION]
  since: "2025-03-31T23:30:00Z"
  http: { timeout: 2s, retry_count: 1, retry_wait_time: 10ms }`,
    mapping: MAPPING,
    url: server.url,
    output: ', timeout: 2s',
    spool: `${folders[folder]?.path}/spool.sqlite`,
    http: false,
  });

test.each(Array.from({ length: ROUNDS }, (_, round) => [round]))(
  'round %i: a disturbed collector counts what an undisturbed one counts',
  async () => {
    const chance = (part: number) => Math.random() < part;
    let nowMs = BEGIN;
    for (let n = 0; n < 6; n++) runai.workloads.push(randomLife(n, BEGIN));
    for (let step = 0; step < STEPS; step++) {
      nowMs += Math.floor(Math.random() * 30) * 1000;
      runai.nowMs = nowMs;
      disturb(chance);
      const running = [startCollectProcess(folders[0]?.path ?? '', configOf(0), chance(0.5) ? ['--once'] : [])];
      // Of the same name on another disk: what both take has the same ids.
      if (chance(0.3)) running.push(startCollectProcess(folders[1]?.path ?? '', configOf(1), ['--once']));
      // And on the same disk, where it is refused.
      if (chance(0.2)) running.push(startCollectProcess(folders[0]?.path ?? '', configOf(0)));
      await pause(Math.random() * 1500);
      if (chance(0.3)) runai.revoke();
      // A clock that goes back for a while: what was over is over still.
      if (chance(0.2)) runai.nowMs = nowMs - 3_600_000;
      await pause(Math.random() * 500);
      await Promise.all(running.map((one) => one.end(chance(0.8) ? 'SIGKILL' : 'SIGTERM')));
    }
    runai.mood = () => undefined;
    server.answer = () => ({ status: 204 });
    runai.nowMs = nowMs + 600_000;
    for (const folder of [0, 1]) {
      expect(await startCollectProcess(folders[folder]?.path ?? '', configOf(folder), ['--once']).ended).toBe(0);
    }
    const wanted = runai.workloads.flatMap((workload) => undisturbed(workload, runai.nowMs));
    expect(server.events.map(figure).toSorted()).toEqual(wanted.toSorted());
  },
);

const figure = ({ subject, time, data }: Record<string, unknown>) => {
  const { seconds, gpus } = data as Record<string, string>;
  return JSON.stringify([subject, time, Number(seconds), Number(gpus).toFixed(9)]);
};

function disturb(chance: (part: number) => boolean): void {
  const [isAway, isFlaky, isOneIll, isIngestAway] = [chance(0.2), chance(0.4), chance(0.4), chance(0.3)];
  runai.mood = (path) => {
    if (isAway) return 'cut';
    if (isFlaky && chance(0.15)) return chance(0.5) ? 'cut' : 503;
    if (isOneIll && path.includes('-000000000003')) return chance(0.5) ? 500 : 'partial';
    return undefined;
  };
  let requests = 0;
  server.answer = () => ({ status: isIngestAway && requests++ % 3 !== 2 ? 503 : 204 });
}

function randomLife(n: number, beginMs: number): Workload {
  const at = () => beginMs + Math.floor(Math.random() * 200_000);
  const createdAtMs = at();
  const phases: { atMs: number; phase: string }[] = [];
  for (let ms = createdAtMs; phases.length < 6; ms += 1 + Math.floor(Math.random() * 60_000)) {
    phases.push({ atMs: ms, phase: phases.length % 2 === 0 ? 'Running' : 'Pending' });
  }
  const completedAtMs = n % 3 === 0 ? undefined : createdAtMs + 1 + Math.floor(Math.random() * 200_000);
  return {
    id: `5f1d2c3b-0000-4000-8000-${String(n).padStart(12, '0')}`,
    name: `w${n}`,
    createdAtMs,
    phases: phases.filter(({ atMs }) => atMs < (completedAtMs ?? Infinity)),
    completedAtMs,
    metric: (_type, ms) => Math.floor(ms / 5000) % 4,
  };
}

/** By the definition: a sample every five seconds, or spread over what is no whole slice; each tells of the time before it. */
function undisturbed({ name, phases, completedAtMs = Infinity, metric }: Workload, nowMs: number): string[] {
  const runs = phases.flatMap(({ atMs, phase }, index) => {
    const endMs = Math.min(phases[index + 1]?.atMs ?? Infinity, completedAtMs);
    return phase === 'Running' && endMs > atMs ? [{ atMs, endMs }] : [];
  });
  const wanted: string[] = [];
  for (let start = BEGIN; start + SLICE_MS <= nowMs; start += SLICE_MS) {
    const parts = runs
      .map(({ atMs, endMs }) => ({ from: Math.max(atMs, start), to: Math.min(endMs, start + SLICE_MS) }))
      .filter(({ from, to }) => to > from);
    if (parts.length === 0) continue;
    const ms = parts.reduce((sum, { from, to }) => sum + to - from, 0);
    const weighed = parts.reduce((sum, { from, to }) => {
      const count = Math.max(1, Math.floor((to - from) / 5000));
      const samples = Array.from({ length: count }, (_, index) => from + ((to - from) * (index + 1)) / count);
      const values = samples.map((at) => Number(metric('GPU_ALLOCATION', at)));
      return sum + (values.reduce((total, value) => total + value, 0) / count) * (to - from);
    }, 0);
    wanted.push(JSON.stringify([name, new Date(start).toISOString(), ms / 1000, (weighed / ms).toFixed(9)]));
  }
  return wanted;
}
