import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { quantityOf } from '../../../collectors/mapping/decimals.ts';
import { type Json, type KubernetesApi, startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
import { finished, pod, running } from '../../support/collectors/kubernetes-objects.ts';
import {
  at,
  countedTo,
  eventsIn,
  type SourceOptions,
  startSource,
  T0,
  total,
} from '../../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/** What is metered of a pod's life: container by container, to the second, cut at the borders of the intervals. */
const RECORDED: Json = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/collectors/kubernetes.json'), 'utf8'),
);
let folder: ReturnType<typeof tempFolder>;
let api: KubernetesApi;
beforeEach(async () => {
  folder = tempFolder();
  api = await startKubernetesApi(T0);
});
afterEach(async () => {
  await api.close();
  folder.remove();
});

/** Does something while the source watches, lets so many seconds go by, and answers its events. */
async function eventsAfter(seconds: number, story: () => void, options: SourceOptions = {}): Promise<Json[]> {
  const watched = api.watched();
  const source = startSource(api, folder.path, options);
  await watched;
  story();
  api.nowMs = T0 + seconds * 1000 + 6000;
  api.cut();
  await countedTo(source, T0 + Math.floor(seconds / 60) * 60_000);
  await source.stop();
  return eventsIn(folder.path);
}
const moment = (seconds: number) => {
  api.nowMs = T0 + seconds * 1000;
};
/** The same, and tells it: a stream says nothing of the time. */
async function tell(seconds: number): Promise<void> {
  moment(seconds);
  const watched = api.watched();
  api.cut();
  await watched;
}
const of = (events: Json[], name: string) => events.filter(({ data }) => data.pod_name === name);

test('the recorded story gives each pod the seconds that can be known of it', async () => {
  // It is told two minutes after it happened.
  api.nowMs = Date.parse(RECORDED.T) + 120_000;
  api.hasEarlyBookmarks = false;
  api.answer = (_method, url) =>
    url.searchParams.has('watch')
      ? undefined
      : { status: 200, body: { metadata: { resourceVersion: '209' }, items: [] } };
  const watched = api.watched();
  const source = startSource(api, folder.path, { resources: { lookback: '1h' } });
  await watched;
  for (const line of RECORDED.story) api.write('pods', `${JSON.stringify(line)}\n`);
  // Proof that nothing follows: a list, ten minutes later.
  await expect.poll(() => source.reports.some(({ incomplete }) => incomplete === 'end_estimated')).toBe(true);
  api.bookmark();
  api.nowMs += 600_000;
  api.answer = () => undefined;
  api.hasEarlyBookmarks = true;
  api.cut();
  await countedTo(source, api.nowMs - 120_000);
  await source.stop();
  const events = eventsIn(folder.path);
  for (const { pod: name, pod_runs: runs } of RECORDED.lifetimes) {
    if (runs?.seconds !== undefined)
      expect(total(of(events, name), 'duration_seconds'), name).toBe(String(runs.seconds));
  }
  // Deleted by force at T+8, and no end was ever seen; it changed hands, and both events of a slice count.
  expect(total(of(events, 'limits-only'), 'duration_seconds')).toBe('7');
  expect(of(events, 'limits-only').at(-1).data).toMatchObject({
    end_estimated: true,
    gpu_request_count: '1',
    tier: 'gold',
  });
  expect(of(events, 'evicted').at(-1).data.end_estimated).toBe(true);
  // web: two init containers (2 × 2 s + 0.1 × 1 s), app's three runs (0.5 × (4 + 1 + 5) s), a container beside it (0.05 × 20 s).
  expect(total(of(events, 'web'), 'cpu_request_core_seconds')).toBe('10.1');
  expect(of(events, 'quantities-cpu')).toEqual([]);
});

describe('what newer servers have', () => {
  const [sidecar, overhead, podLevel, resize, , mig] = RECORDED.composed;
  const firstOf = (events: Json[]) => events.at(0).data;

  test('a sidecar counts as long as it runs, an init container while it does', async () => {
    const events = await eventsAfter(1800, () => api.put('pods', sidecar.pod));
    const { running_cpu_cores, running_memory_bytes } = sidecar.expected;
    expect(firstOf(events)).toMatchObject({
      cpu_request_millicores: running_cpu_cores,
      memory_request_bytes: running_memory_bytes,
    });
    // 2 × 10 + 0.1 × 1788 + 0.5 × 1786
    expect(total(events, 'cpu_request_core_seconds')).toBe('1091.8');
    expect(total(events, 'duration_seconds')).toBe('1788');
  });

  test('basis reserved: what the scheduler keeps, from the first start to the end', async () => {
    const options = { resources: { basis: 'reserved' } };
    const events = await eventsAfter(1800, () => api.put('pods', sidecar.pod), options);
    expect(firstOf(events).cpu_request_millicores).toBe(sidecar.expected.reserved_cpu_cores);
    expect(total(events, 'cpu_request_core_seconds')).toBe(String(2 * 1798));
  });

  test('overhead, resources of the whole pod, and other accelerators', async () => {
    const options = { resources: { gpu_resources: ['nvidia.com/mig-1g.10gb', 'amd.com/gpu'] } };
    const events = await eventsAfter(
      60,
      () => {
        for (const { pod: one } of [overhead, podLevel, mig]) api.put('pods', one);
      },
      options,
    );
    const figures = (name: string) => of(events, name)[0].data;
    expect(figures('overhead')).toMatchObject({
      cpu_request_millicores: overhead.expected.running_cpu_cores,
      memory_request_bytes: overhead.expected.running_memory_bytes,
      cpu_request_core_seconds: '72.5',
    });
    expect(figures('podlevel')).toMatchObject({
      cpu_request_millicores: podLevel.expected.running_cpu_cores,
      memory_request_bytes: podLevel.expected.running_memory_bytes,
      cpu_limit_millicores: '4',
      cpu_limit_core_seconds: '232',
    });
    expect(figures('mig')).toMatchObject({ gpu_request_count: '3', gpu_request_seconds: '174' });
  });

  test('a resize counts when the node has done it, not when it was asked for', async () => {
    const events = await eventsAfter(1800, () => {
      for (const { object, at: when } of resize.watch) {
        api.nowMs = Date.parse(when);
        api.put('pods', object);
      }
    });
    expect(total(events, 'cpu_request_core_seconds')).toBe(resize.expected.cpu_core_seconds_until_01_30);
    expect(total(events, 'duration_seconds')).toBe('1798');
  });
});

test('quantities are what the server takes them for', () => {
  for (const { text, exact } of RECORDED.quantities) expect(quantityOf(text), text).toBe(exact);
});

test('restarts count run by run, and back-off does not', async () => {
  const terminated = (startedAt: string, finishedAt: string) => ({ terminated: { startedAt, finishedAt } });
  const events = await eventsAfter(180, () => {
    moment(10);
    api.put('pods', pod('a', { status: running(at(10)) }));
    moment(20);
    const first = {
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: terminated(at(10), at(20)),
    };
    api.put('pods', pod('a', { status: running('', first) }));
    moment(100);
    api.put('pods', pod('a', { status: running(at(100), { restartCount: 1, lastState: terminated(at(10), at(20)) }) }));
    moment(130);
    // The second ended, and a third has begun before anybody looked.
    api.put(
      'pods',
      pod('a', { status: running(at(128), { restartCount: 2, lastState: terminated(at(100), at(125)) }) }),
    );
  });
  expect(events.map(({ time, data }) => [time, data.duration_seconds])).toEqual([
    [at(10), '10'],
    [at(100), '20'],
    [at(120), String(5 + 52)],
  ]);
});

test('a change of who pays or of labels splits the slice at the instant of the write', async () => {
  const options = { resources: { label_selector: 'tier in (gold, silver), !internal' } };
  const status = running(at(0));
  const labelled = (name: string, subject: string, labels: Json) =>
    pod(name, { status, metadata: { labels, annotations: { 'openmeter.io/subject': subject } } });
  const events = await eventsAfter(
    120,
    () => {
      api.put('pods', labelled('a', 'customer-1', { tier: 'gold' }));
      api.put('pods', labelled('b', 'customer-1', { tier: 'bronze' }));
      moment(30);
      api.put('pods', labelled('a', 'customer-2', { tier: 'gold' }));
      moment(45);
      api.put('pods', labelled('b', 'customer-1', { tier: 'silver' }));
      moment(75);
      api.put('pods', labelled('a', 'customer-2', { tier: 'gold', internal: 'yes' }));
    },
    options,
  );
  const lived = (name: string) => of(events, name).map(({ subject, data }) => `${subject} ${data.duration_seconds}`);
  expect(lived('a')).toEqual(['customer-1 30', 'customer-2 30', 'customer-2 15']);
  expect(lived('b')).toEqual(['customer-1 15', 'customer-1 60']);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
});

test('who is gone without a word counts to its deadline, to its eviction, or to when it was last seen', async () => {
  const watched = api.watched();
  const source = startSource(api, folder.path);
  await watched;
  for (const name of ['forced', 'evicted', 'lost', 'stuck']) api.put('pods', pod(name, { status: running(at(0)) }));
  await tell(50);
  api.put('pods', pod('evicted', { status: { phase: 'Failed', reason: 'Evicted' } }));
  await tell(70);
  const dying = pod('forced', { status: running(at(0)), metadata: { deletionTimestamp: at(70) } });
  api.put('pods', dying);
  api.remove('pods', 'default', 'forced');
  // Its node is lost: nobody ends it, and nobody removes it.
  api.put('pods', pod('stuck', { status: running(at(0)), metadata: { deletionTimestamp: at(100) } }));
  await tell(130);
  await countedTo(source, T0 + 120_000);
  await source.stop();
  api.remove('pods', 'default', 'lost');
  api.compact();
  moment(3600);
  const again = startSource(api, folder.path);
  await countedTo(again, T0 + 3_540_000);
  await again.stop();
  const events = eventsIn(folder.path);
  expect(total(of(events, 'evicted'), 'duration_seconds')).toBe('50');
  expect(total(of(events, 'forced'), 'duration_seconds')).toBe('70');
  expect(total(of(events, 'stuck'), 'duration_seconds')).toBe('100');
  expect(total(of(events, 'lost'), 'duration_seconds')).toMatch(/^13\d(\.\d+)?$/);
  expect(of(events, 'lost').at(-1).data.end_estimated).toBe(true);
  expect(again.reports.filter(({ incomplete }) => incomplete === 'end_estimated')).toHaveLength(1);
});

test('a pod that was scheduled keeps its place, whether or not it ever runs', async () => {
  const scheduled = (seconds: number) => [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(seconds) }];
  const events = await eventsAfter(
    120,
    () => {
      moment(5);
      api.put('pods', pod('pulling', { status: { conditions: scheduled(5) } }));
      api.put('pods', pod('unscheduled'));
    },
    { resources: { include_pending_pods: true } },
  );
  expect(events.map(({ data }) => `${data.pod_name} ${data.duration_seconds}`)).toEqual(['pulling 55', 'pulling 60']);
});

test('odd names and texts stay what they are, and nothing that is not asked for is kept', async () => {
  const annotations = JSON.parse(
    '{"data.openmeter.io/__proto__":"p","data.openmeter.io/constructor":"c","data.openmeter.io/pod_name":"lie","data.openmeter.io/":"empty","__proto__":"x"}',
  );
  const events = await eventsAfter(60, () => {
    api.put(
      'pods',
      pod('__proto__', { status: running(at(0)), metadata: { annotations, labels: JSON.parse('{"__proto__":"y"}') } }),
    );
    api.put(
      'pods',
      pod('broken', {
        status: running(at(0)),
        spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1 core' } } }] },
      }),
    );
    api.put('pods', pod('none', { status: running(at(0)), spec: { containers: 'nonsense' } }));
  });
  const [first] = of(events, '__proto__');
  expect(first.subject).toBe('__proto__');
  expect(Object.getOwnPropertyDescriptor(first.data, '__proto__')?.value).toBe('p');
  expect(first.data).toMatchObject({ constructor: 'c', pod_name: '__proto__', '': 'empty' });
  expect(of(events, 'none')[0].data.cpu_request_core_seconds).toBe('0');
  // What is no quantity is kept as a dead letter and says which.
  expect(of(events, 'broken')).toEqual([]);
  const bytes = readFileSync(join(folder.path, 'pods.sqlite')).toString('latin1');
  expect(bytes).toContain('1 core');
  expect(bytes).not.toContain('hush');
  expect(bytes).not.toContain('managedFields');
});

test('a finished pod is counted once, however often it is listed', async () => {
  api.put('pods', pod('done', { status: finished(at(0), at(30)) }));
  moment(66);
  for (const _ of [1, 2])
    expect(await startSource(api, folder.path, { once: true, resources: { lookback: '1h' } }).ended).toBeUndefined();
  api.compact();
  moment(7200);
  expect(await startSource(api, folder.path, { once: true }).ended).toBeUndefined();
  const events = eventsIn(folder.path);
  expect(events.map(({ data }) => data.duration_seconds)).toEqual(['30']);
});
