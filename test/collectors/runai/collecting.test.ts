import { expect, test } from 'vitest';
import { collectorConfig } from '../../support/collectors/collector-config.ts';
import { startRunaiServer, type Workload } from '../../support/collectors/runai-server.ts';
import { startCollect } from '../../support/collectors/running.ts';
import { collectOnce, surroundingsOfEachTest } from '../../support/collectors/surroundings.ts';

const START = Date.parse('2025-06-30T23:50:00Z');
const at = (clock: string) => Date.parse(`2025-06-30T${clock}Z`);
const id = (n: number) => `5f1d2c3b-0000-4000-8000-${String(n).padStart(12, '0')}`;

const around = surroundingsOfEachTest(() => startRunaiServer(START));

const configOf = (more = '', mapping?: string) =>
  collectorConfig({
    name: 'runai',
    input: `
run_ai:
  url: "${around.source.url}"
  app_id: app
  app_secret: s3cret
  metrics_offset: 0s
  http: { retry_count: 1, retry_wait_time: 1ms }
  ${more}`,
    ...(mapping === undefined ? { preset: 'run-ai-minutes' } : { mapping }),
    url: around.server.url,
    spool: `${around.folder.path}/spool.sqlite`,
  });
const once = (config = configOf()) => collectOnce(config);
/** Moves Run:ai's clock, and reads. */
const until = async (ms: number, config = configOf()) => {
  around.source.nowMs = ms;
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
  around.source.workloads.push(
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
  expect(around.server.events.map(({ time, type, subject }) => [time, type, subject])).toEqual([
    ['2025-06-30T23:50:00.000Z', 'workload', 'proj-1'],
    ['2025-06-30T23:50:30.000Z', 'workload', 'proj-1'],
    ['2025-06-30T23:51:00.000Z', 'workload', 'proj-1'],
  ]);
  // 20 s, 15.5 + 10 s, 20 s; two GPUs, half used; four cores.
  const seconds = [20, 25.5, 20];
  expect(minutes(around.server.events, 'workload_minutes').map((text) => Number(text) * 60)).toEqual(
    seconds.map((s) => expect.closeTo(s, 9)),
  );
  expect(minutes(around.server.events, 'gpu_allocation_minutes').map((text) => Number(text) * 30)).toEqual(
    seconds.map((s) => expect.closeTo(s, 9)),
  );
  expect(around.server.events[1]?.data).toEqual({
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

/** What counts of an event: which slice it is of, and how much. */
const figures = () =>
  around.server.events.map(({ id: own, data, time }) => JSON.stringify([own, time, data])).toSorted();

test('a stop of hours is caught up by ranges of time, and gives what a run without a stop gives', async () => {
  const lives = () => [
    runningFrom(1, at('20:10:07')),
    runningFrom(2, at('20:59:59.999'), { completedAtMs: at('21:00:00.001') }),
    runningFrom(3, at('20:30:00'), { completedAtMs: at('22:15:00'), deletedAtMs: at('22:20:00') }),
    runningFrom(4, at('20:05:00'), {
      phases: Array.from({ length: 60 }, (_, n) => ({
        atMs: at('20:05:00') + n * 97_531,
        phase: n % 3 === 0 ? 'Running' : n % 3 === 1 ? 'Degraded' : 'Pending',
      })),
      // Another value each second, so that another set of samples is another mean.
      metric: (type, ms) => (type.endsWith('_BYTES') ? undefined : (Math.floor(ms / 1000) % 7) + 0.1),
    }),
  ];
  around.source.nowMs = at('20:00:00');
  around.source.workloads.push(...lives());
  for (let ms = at('20:00:00'); ms <= at('23:00:00'); ms += 1_800_000) await until(ms);
  const undisturbed = figures();
  const asked = around.source.asked.length;
  await around.anotherEndpoint();
  around.forgetEverything();
  around.source.asked.length = 0;
  await until(at('20:00:00'));
  await until(at('23:00:00'));
  expect(figures()).toEqual(undisturbed);
  expect(undisturbed.length).toBeGreaterThan(600);
  expect(around.source.asked.length).toBeLessThan(asked);
});

test('a token that is refused in the middle is asked for again, once for all, and no secret is said', async () => {
  for (let n = 1; n <= 20; n++) around.source.workloads.push(runningFrom(n, at('23:50:00')));
  await once();
  let metrics = 0;
  around.source.mood = (path) => {
    if (path.endsWith('/metrics') && ++metrics === 5) around.source.revoke();
    return undefined;
  };
  const collect = await until(at('23:51:00'));
  expect(around.server.events).toHaveLength(40);
  expect(around.source.tokens.given).toBeLessThanOrEqual(4);
  expect(around.source.tokens.bodies[0]).toEqual({
    grantType: 'client_credentials',
    clientID: 'app',
    clientSecret: 's3cret',
  });
  expect(JSON.stringify([collect.logged, collect.said])).not.toContain('s3cret');
});

test('credentials that are refused are said, without them, and taken when they are right', async () => {
  await once();
  around.source.workloads.push(runningFrom(1, at('23:50:00')));
  around.source.nowMs = at('23:51:00');
  const collect = startCollect(configOf().replace('s3cret', 'wr0ng'), ['--once']);
  const said = await collect.line('Run:ai cannot be read');
  expect(said).toMatchObject({ cause: 'a token is refused (400): app_id, app_secret or grant' });
  await collect.stop();
  expect(JSON.stringify([collect.logged, collect.said])).not.toContain('wr0ng');
  await until(at('23:51:00'), configOf('grant: app_token'));
  expect(around.source.tokens.bodies.at(-1)).toEqual({ grantType: 'app_token', AppId: 'app', AppSecret: 's3cret' });
  expect(around.server.events).toHaveLength(2);
});

test('a workload that fails holds up no other, and is taken when it can be', async () => {
  for (let n = 1; n <= 3; n++) around.source.workloads.push(runningFrom(n, at('23:50:00')));
  await once();
  const failing: (number | 'cut' | { body: string })[] = [
    500,
    403,
    'cut',
    429,
    { body: '<html>' },
    { body: '[[[[' },
    { body: '{"measurements": 5}' },
  ];
  for (const [index, mood] of failing.entries()) {
    around.source.mood = (path) => (path.includes(id(2)) ? mood : undefined);
    await until(at('23:51:00') + index * 60_000);
  }
  const ofOthers = around.server.events.filter(({ data }) => (data as Record<string, string>)['name'] !== 'train-2');
  expect(ofOthers).toHaveLength(2 * 14);
  expect(around.server.events).toHaveLength(2 * 14);
  around.source.mood = () => undefined;
  await until(at('23:58:00'));
  expect(around.server.events).toHaveLength(3 * 16);
});

test('metrics that are missing are asked for again, then left out, and never zero', async () => {
  around.source.workloads.push(runningFrom(1, at('23:50:00')));
  await once();
  around.source.mood = (path) => (path.endsWith('/metrics') ? 'partial' : undefined);
  await until(at('23:51:00'));
  expect(around.server.events).toHaveLength(0);
  around.source.mood = (path) => (path.endsWith('/metrics') ? 'empty' : undefined);
  await until(at('23:52:00'));
  expect(around.server.events).toHaveLength(0);
  around.source.mood = () => undefined;
  await until(at('23:52:30'));
  expect(minutes(around.server.events, 'gpu_allocation_minutes')).toEqual(['1', '1', '1', '1', '1']);
  // They stay away: what is known is taken, and says that it is not all.
  around.source.mood = (path) => (path.endsWith('/metrics') ? 404 : undefined);
  const collect = await until(at('23:53:30'), configOf('incomplete_after: 30s'));
  expect(around.server.events).toHaveLength(6);
  expect(around.server.events[5]?.data).toMatchObject({ workload_minutes: '0.5', incomplete: true });
  expect(around.server.events[5]?.data).not.toHaveProperty('gpu_allocation_minutes');
  expect(await collect.line('something will not be known')).toMatchObject({ reason: 'metrics' });
});

test('pages are read by the next that the server says; who leaves a list meanwhile makes nobody be passed over', async () => {
  for (let n = 1; n <= 350; n++)
    around.source.workloads.push(runningFrom(n, at('23:50:00'), { createdAtMs: START - 1000 + n }));
  await once(configOf('page_size: 100'));
  let page = 0;
  around.source.mood = (path, query) => {
    // Five of the first page end, and leave the list of what runs, before the second is read.
    if (path === '/api/v1/workloads' && query.get('filterBy')?.startsWith('phase!=') && ++page === 2) {
      for (let n = 0; n < 5; n++) {
        around.source.workloads.splice(n, 1, {
          ...(around.source.workloads[n] as Workload),
          completedAtMs: at('23:51:00'),
        });
      }
    }
    return undefined;
  };
  await until(at('23:51:01'), configOf('page_size: 100'));
  expect(new Set(around.server.events.map(({ data }) => (data as Record<string, string>)['name'])).size).toBe(350);
  expect(around.server.events).toHaveLength(700);
});

test('pods run from the start of their containers, have what they had when they ran, and a figure for each GPU', async () => {
  around.source.pods.push({
    id: id(7),
    workloadId: id(1),
    name: 'train-a-0-0',
    createdAtMs: at('23:50:00'),
    startedAtMs: at('23:50:15'),
    completedAtMs: at('23:51:10'),
    gpus: 2,
    metric: (type, gpu) => (type.endsWith('_PER_GPU') ? 90 - gpu : 45),
  });
  const mapping = `{"type": $meta("resource_type"), "source": "run_ai", "subject": name, "data": {"seconds": $meta("duration_seconds"), "gpus": allocatedResources.gpu, "each": metrics.values.GPU_UTILIZATION_PER_GPU, "all": metrics.values.GPU_UTILIZATION}}`;
  const config = configOf('resource_type: pod', mapping);
  for (const clock of ['23:50:00', '23:50:30', '23:51:00', '23:52:00']) await until(at(clock), config);
  const each = { '0': '90', '1': '89' };
  expect(around.server.events.map(({ data }) => data)).toEqual([
    { seconds: '15', gpus: 2, each, all: '45' },
    { seconds: '30', gpus: 2, each, all: '45' },
    { seconds: '10', gpus: 2, each, all: '45' },
  ]);
});

test('what ended before it was known to have is said, and so is what vanished', async () => {
  around.source.workloads.push(runningFrom(1, at('23:50:00')), runningFrom(2, at('23:50:00')));
  await once();
  await until(at('23:52:00'));
  around.source.workloads.splice(0, 2, { ...(around.source.workloads[0] as Workload), completedAtMs: at('23:51:20') });
  const collect = await until(at('23:53:00'));
  expect(await collect.line('an end was told late; too much was taken')).toMatchObject({ id: id(1), seconds: 40 });
  for (let n = 0; n < 3; n++) await until(at('23:54:00') + n * 60_000);
  expect(around.server.events).toHaveLength(8);
});

test.each([
  ['metrics: [GPU_ALLOCATIONS]', 'input.run_ai.metrics[0]: is no metric of a workload'],
  ['schedule: "* * *"', /input.run_ai.schedule: must be a cron expression/],
  ['page_size: 50', 'input.run_ai.page_size: must be a whole number from 100 to 500'],
  ['phases: [Run]', /input.run_ai.phases\[0\]: must be one of Creating/],
  ['grant: password', 'input.run_ai.grant: must be client_credentials or app_token'],
])('%s is refused', async (more, reason) => {
  const collect = startCollect(configOf(more), ['--check']);
  expect(await collect.ended).toBe(2);
  expect(collect.said.join()).toMatch(reason);
});

test('while it runs it reads at each tick, and says how far it is', async () => {
  around.source.workloads.push(runningFrom(1, at('23:50:00')));
  await until(at('23:50:00'));
  const collect = startCollect(configOf('schedule: "@every 1s"'));
  const { http } = await collect.line('collecting');
  around.source.nowMs = at('23:50:05');
  await expect.poll(() => around.server.events.length, { timeout: 20_000 }).toBe(5);
  around.source.nowMs = at('23:50:06');
  await expect.poll(() => around.server.events.length, { timeout: 20_000 }).toBe(6);
  const metrics = await (await fetch(`http://${http as string}/metrics`)).text();
  expect(metrics).toContain('collector_ticks_open{collector="runai"} 0');
  expect(metrics).toContain('collector_source_reached{collector="runai"} 1');
  await collect.stop();
});

test('hostile lists hold up nobody, are bounded, and end', async () => {
  around.source.workloads.push(runningFrom(1, at('23:50:00')));
  await once();
  const good = {
    clusterId: 'c',
    createdAt: '2025-06-30T23:49:00Z',
    phase: 'Running',
    phaseUpdatedAt: '2025-06-30T23:50:00Z',
  };
  const items = [
    null,
    5,
    [],
    { ...good, id: '../../../admin' },
    { ...good, id: 'x'.repeat(200) },
    { ...good, id: 'no-phase', phase: null },
    { ...good, id: 'no-date', createdAt: 'yesterday' },
    // Names of what all objects have; what they say of their metrics is 404, so they stay open.
    { ...good, id: '__proto__', name: '__proto__' },
    { ...good, id: 'constructor', ['__proto__']: { polluted: true } },
    { ...good, id: 'future', createdAt: '9999-12-31T23:59:59Z', phaseUpdatedAt: '9999-12-31T23:59:59Z' },
  ];
  const page = (more: object = {}) => ({ body: JSON.stringify({ workloads: items, ...more }) });
  const bodies: { body: string }[] = [
    page(),
    page({ next: 0 }),
    page({ next: 1e300 }),
    page({ next: 'x' }),
    { body: `{"workloads":${'['.repeat(100_000)}` },
    { body: `{"workloads":[${'{},'.repeat(4_000_000)}{}]}` },
    { body: '' },
  ];
  for (const body of bodies) {
    around.source.mood = (path, query) =>
      path === '/api/v1/workloads' && query.get('filterBy')?.startsWith('completedAt') === true ? body : undefined;
    around.source.nowMs += 30_000;
    const collect = startCollect(configOf());
    await expect
      .poll(() => around.server.events.length, { timeout: 20_000 })
      .toBeGreaterThan((around.source.nowMs - START) / 30_000 - 1);
    await collect.stop();
    expect(collect.logged.some(({ level }) => level === 'fatal')).toBe(false);
  }
  expect(around.server.events).toHaveLength(bodies.length);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(around.source.asked.some((path) => path.includes('admin'))).toBe(false);
});
