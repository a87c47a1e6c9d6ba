import { afterEach, beforeEach, expect, test } from 'vitest';
import { type IngestServer, startIngestServer } from '../support/ingest-server.ts';
import { type RunaiServer, startRunaiServer, type Workload } from '../support/runai-server.ts';
import { startCollect, tempFolder } from '../support/running.ts';

const START = Date.parse('2025-06-30T23:50:00Z');
const at = (clock: string) => Date.parse(`2025-06-30T${clock}Z`);
const id = (n: number) => `5f1d2c3b-0000-4000-8000-${String(n).padStart(12, '0')}`;

let runai: RunaiServer;
let server: IngestServer;
let folder: ReturnType<typeof tempFolder>;
beforeEach(async () => {
  runai = await startRunaiServer(START);
  server = await startIngestServer();
  folder = tempFolder();
});
afterEach(async () => {
  await runai.close();
  await server.close();
  folder.remove();
});

const configOf = (more = '', processor = 'preset: run-ai-minutes') => `
name: runai
input:
  run_ai:
    url: "${runai.url}"
    app_id: app
    app_secret: s3cret
    metrics_offset: 0s
    http: { retry_count: 1, retry_wait_time: 1ms }
    ${more}
pipeline: { processors: [{ ${processor} }] }
output: { openmeter: { url: "${server.url}", batching: { count: 1000, period: 10ms } } }
buffer: { sqlite: { path: "${folder.path}/spool.sqlite" } }
http: { address: "127.0.0.1:0" }
`;
const once = async (config = configOf()) => {
  const collect = startCollect(config, ['--once']);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect;
};
/** Moves Run:ai's clock, and reads. */
const until = async (ms: number, config = configOf()) => {
  runai.nowMs = ms;
  return once(config);
};
const runningFrom = (n: number, fromMs: number, more: Partial<Workload> = {}): Workload => ({
  id: id(n),
  name: `train-${n}`,
  createdAtMs: fromMs - 10_000,
  phases: [{ atMs: fromMs, phase: 'Running' }],
  metric: (type) =>
    type === 'GPU_ALLOCATION'
      ? 2
      : type === 'GPU_UTILIZATION'
        ? 50
        : type === 'GPU_MEMORY_REQUEST_BYTES'
          ? undefined
          : 4,
  ...more,
});
const minutes = (events: readonly Record<string, unknown>[], field: string) =>
  events.map(({ data }) => (data as Record<string, string>)[field]);

test('a workload is taken for as long as it ran, in slices that tile its life', async () => {
  await once();
  runai.workloads.push(
    runningFrom(1, at('23:50:10'), {
      phases: [
        { atMs: at('23:50:10'), phase: 'Running' },
        { atMs: at('23:50:45.500'), phase: 'Pending' },
        { atMs: at('23:50:50'), phase: 'Running' },
      ],
      completedAtMs: at('23:51:20'),
    }),
  );
  await until(at('23:52:00'));
  expect(server.events.map(({ time, type, subject }) => [time, type, subject])).toEqual([
    ['2025-06-30T23:50:00.000Z', 'workload', 'proj-1'],
    ['2025-06-30T23:50:30.000Z', 'workload', 'proj-1'],
    ['2025-06-30T23:51:00.000Z', 'workload', 'proj-1'],
  ]);
  // 20 s, 15.5 + 10 s, 20 s; two GPUs, half used; four cores.
  const seconds = [20, 25.5, 20];
  expect(minutes(server.events, 'workload_minutes').map((text) => Number(text) * 60)).toEqual(
    seconds.map((s) => expect.closeTo(s, 9)),
  );
  expect(minutes(server.events, 'gpu_allocation_minutes').map((text) => Number(text) * 30)).toEqual(
    seconds.map((s) => expect.closeTo(s, 9)),
  );
  expect(server.events[1]?.data).toEqual({
    name: 'train-1',
    namespace: 'runai-proj-1',
    phase: 'Running',
    project: '4500001',
    department: '45',
    workload_minutes: '0.425',
    cpu_limit_core_minutes: '1.7',
    cpu_request_core_minutes: '1.7',
    cpu_usage_core_minutes: '1.7',
    cpu_memory_limit_gigabyte_minutes: '0.0000000017',
    cpu_memory_request_gigabyte_minutes: '0.0000000017',
    cpu_memory_usage_gigabyte_minutes: '0.0000000017',
    gpu_allocation_minutes: '0.85',
    gpu_usage_minutes: '0.2125',
    gpu_memory_usage_gigabyte_minutes: '0.0000000017',
  });
});
