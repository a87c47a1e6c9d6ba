import { afterEach, beforeEach, expect, test } from 'vitest';
import { type KubernetesApi, startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
import { finished, pod, running } from '../../support/collectors/kubernetes-objects.ts';
import {
  at,
  countedTo,
  eventsIn,
  type RunningSource,
  startSource,
  T0,
  total,
} from '../../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/** Lists, watches, resumes, and whatever a server may answer instead. */
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

const seconds = (name: string) =>
  total(
    eventsIn(folder.path).filter(({ data }) => data.pod_name === name),
    'duration_seconds',
  );
const count = (part: string) => api.requests.filter((request) => request.includes(part)).length;
const flaws = ({ reports }: RunningSource) => reports.flatMap(({ incomplete }) => incomplete ?? []);
async function started(options: Parameters<typeof startSource>[2] = {}): Promise<RunningSource> {
  const watched = api.watched();
  const source = startSource(api, folder.path, options);
  await watched;
  return source;
}
/** Lets the time of the server go on, and tells it. */
async function tell(at: number): Promise<void> {
  api.nowMs = T0 + at * 1000;
  const watched = api.watched();
  api.cut();
  await watched;
}

test('a stop is caught up by the watch: nothing is listed again, and what happened meanwhile is known to the second', async () => {
  const first = await started();
  api.put('pods', pod('long', { status: running(at(0)) }));
  await tell(66);
  await countedTo(first, T0 + 60_000);
  await first.kill();
  api.nowMs = T0 + 100_000;
  api.put('pods', pod('short', { status: running(at(90)) }));
  api.put('pods', pod('short', { status: finished(at(90), at(97)) }));
  api.remove('pods', 'default', 'short');
  api.put('pods', pod('long', { status: finished(at(0), at(95)) }));
  api.nowMs = T0 + 250_000;
  const lists = count('limit=');
  const second = await started();
  await countedTo(second, T0 + 240_000);
  await second.stop();
  expect(count('limit=')).toBe(lists);
  expect([seconds('short'), seconds('long')]).toEqual(['7', '95']);
  expect(flaws(second)).toEqual([]);
});

test('after a gap that the server has forgotten, a list says what can still be known', async () => {
  const first = await started();
  api.put('pods', pod('on', { status: running(at(0)) }));
  api.put('pods', pod('off', { status: running(at(0)) }));
  await tell(66);
  await countedTo(first, T0 + 60_000);
  await first.stop();
  api.nowMs = T0 + 9000_000;
  api.put('pods', pod('off', { status: finished(at(0), at(4000)) }));
  api.put('pods', pod('began', { status: running(at(8000)), metadata: { creationTimestamp: at(7990) } }));
  api.compact();
  api.nowMs = T0 + 10_000_000;
  const second = await started();
  await countedTo(second, T0 + 9_960_000);
  await second.stop();
  expect([seconds('on'), seconds('off'), seconds('began')]).toEqual(['9960', '4000', '1960']);
});

test('lists come in pages; one whose history is gone begins anew, and one that is too large comes in smaller ones', async () => {
  for (let index = 0; index < 25; index++) api.put('pods', pod(`p-${index}`, { status: finished(at(0), at(30)) }));
  api.nowMs = T0 + 66_000;
  let pages = 0;
  let isHuge = true;
  api.answer = (_method, url) => {
    if (url.searchParams.has('continue') && ++pages === 2) api.compact();
    if (url.searchParams.get('limit') === '40' && isHuge) {
      isHuge = false;
      return { status: 200, body: `{"pad":"${'x'.repeat(50 * 1024 * 1024)}"}` };
    }
    return undefined;
  };
  const options = { once: true, resources: { page_size: 10, lookback: '1h' } };
  expect(await startSource(api, folder.path, options).ended).toBeUndefined();
  const events = eventsIn(folder.path);
  expect(events).toHaveLength(25);
  expect(total(events, 'duration_seconds')).toBe(String(25 * 30));
});

test('half a line, nonsense and what is too long are left out, and a list mends what they hid', async () => {
  const source = await started();
  api.put('pods', pod('a', { status: running(at(0)) }));
  api.write('pods', '{"type":"MODIFIED","object":{"metadata"\n');
  api.write(
    'pods',
    'null\n[]\n{"type":"MODIFIED"}\n{"type":"SOMETHING","object":{"metadata":{"resourceVersion":"1"}}}\n',
  );
  api.write('pods', '{"type":"MODIFIED","object":{"metadata":{"resourceVersion":"120","uid":7},"status":[]}}\n');
  api.write('pods', `{"type":"MODIFIED","object":{"pad":"${'x'.repeat(9 * 1024 * 1024)}"}}\n`);
  api.put('pods', pod('b', { status: running(at(0)) }));
  api.write('pods', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"9');
  await expect.poll(() => flaws(source)).toContain('unreadable');
  const lists = count('limit=');
  await tell(66);
  await countedTo(source, T0 + 60_000);
  await source.stop();
  expect(count('limit=')).toBe(lists + 1);
  expect([seconds('a'), seconds('b')]).toEqual(['60', '60']);
});

test.each([
  ['a list that is none', { status: 200, body: { items: 'many' } }],
  [
    'a page that points at itself',
    { status: 200, body: { metadata: { resourceVersion: '1', continue: 'x' }, items: [] } },
  ],
  ['no JSON', { status: 200, body: '<html>' }],
  ['an error', { status: 503, body: { message: 'etcd is away' } }],
  ['a server that wants to be left alone', { status: 429, body: '' }],
])('%s is tried again, and what was missed is caught up', async (_what, answer) => {
  let left = 3;
  api.answer = () => (left-- > 0 ? answer : undefined);
  api.put('pods', pod('a', { status: running(at(0)) }));
  const source = await started({ resources: { lookback: '1h' } });
  await tell(66);
  await countedTo(source, T0 + 60_000);
  await source.stop();
  expect(seconds('a')).toBe('60');
});

test('a namespace that may not be read holds up no other, and is said', async () => {
  api.answer = (_method, url) =>
    url.pathname.includes('/closed/') ? { status: 403, body: { message: 'pods is forbidden' } } : undefined;
  const source = await started({ resources: { namespaces: ['closed', 'default'] } });
  api.put('pods', pod('a', { status: running(at(0)) }));
  await tell(66);
  await expect.poll(() => source.taken()).toBe(1);
  await source.stop();
  expect(seconds('a')).toBe('60');
  expect(source.logged).toContainEqual(expect.objectContaining({ status: 403, cause: 'pods is forbidden' }));
  expect(source.reports.findLast(({ isReached }) => isReached !== undefined)?.isReached).toBe(false);
});

test('clocks of nodes: one that is ahead or behind changes no length, and a broken one bills nothing that was not', async () => {
  const source = await started({ resources: { lookback: '2h' } });
  const hour = 3600;
  api.nowMs = T0 + 10_000;
  api.put('pods', pod('ahead', { status: running(at(10 + hour)) }));
  api.put('pods', pod('behind', { status: running(at(10 - hour)) }));
  api.put('pods', pod('broken', { status: running('1970-01-03T00:00:00Z') }));
  api.put('pods', pod('zero', { status: running('0001-01-01T00:00:00Z') }));
  await tell(130);
  await countedTo(source, T0 + 120_000);
  api.put('pods', pod('ahead', { status: finished(at(10 + hour), at(130 + hour)) }));
  api.put('pods', pod('behind', { status: finished(at(10 - hour), at(130 - hour)) }));
  api.put('pods', pod('broken', { status: finished('1970-01-03T00:00:00Z', at(130)) }));
  await tell(2 * hour);
  await countedTo(source, T0 + (2 * hour - 60) * 1000);
  await source.stop();
  // Within the tolerance of clocks that are set: what was counted of it while it ran may be that much too long.
  expect(seconds('ahead')).toBe('120');
  expect(Math.abs(Number(seconds('behind')) - 120)).toBeLessThanOrEqual(5);
  expect(Number(seconds('broken'))).toBeLessThanOrEqual(130);
  expect(seconds('zero')).toBe('0');
  expect(flaws(source)).toContain('clock');
});

test('the clock of this machine does not matter', async () => {
  const source = await started({ skewMs: 86_400_000 * 40 });
  api.put('pods', pod('a', { status: running(at(0)) }));
  await tell(66);
  await countedTo(source, T0 + 60_000);
  await source.stop();
  expect(seconds('a')).toBe('60');
  expect(source.logged).toContainEqual(expect.objectContaining({ level: 'warn', ahead_seconds: expect.any(Number) }));
});

test('nothing is counted beyond what has been seen while the server is away', async () => {
  const source = await started();
  api.put('pods', pod('a', { status: running(at(0)) }));
  await tell(66);
  await countedTo(source, T0 + 60_000);
  api.isDown = true;
  api.cut();
  await expect.poll(() => source.reports.some(({ isReached }) => isReached === false)).toBe(true);
  api.nowMs = T0 + 300_000;
  api.put('pods', pod('a', { status: finished(at(0), at(100)) }));
  expect(source.reports.at(-1)?.upToMs ?? T0 + 60_000).toBeLessThanOrEqual(T0 + 60_000);
  const watched = api.watched();
  api.isDown = false;
  await watched;
  await countedTo(source, T0 + 240_000);
  await source.stop();
  expect(seconds('a')).toBe('100');
});
