import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type KubernetesApi, startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
import { pod, running } from '../../support/collectors/kubernetes-objects.ts';
import {
  at,
  eventsIn,
  type RunningSource,
  startSource,
  T0,
  total,
} from '../../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/** Several collectors of one name, each with its own disk: one works, and all together count once. */
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

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/openmeter/leases';
function start(identity: string): RunningSource {
  const own = join(folder.path, identity);
  mkdirSync(own, { recursive: true });
  const lease = { namespace: 'openmeter', name: 'collector', duration: '3s', identity };
  return startSource(api, own, { resources: { lease, lookback: '1h' } });
}
async function tell(seconds: number): Promise<void> {
  api.nowMs = T0 + seconds * 1000;
  const watched = api.watched();
  api.cut();
  await watched;
}
async function telling<T>(seconds: number, answer: () => T): Promise<T> {
  await tell(seconds);
  return answer();
}
/** Of all disks, each id once, as the backend counts. */
function all() {
  const seen = new Map(
    ['a', 'b'].flatMap((identity) => eventsIn(join(folder.path, identity)).map((one) => [one.id, one])),
  );
  return [...seen.values()];
}

test('one holds the lease and counts; the next goes on where it got to, and takes nothing over twice', async () => {
  const a = start('a');
  await expect.poll(() => api.requests.some((request) => request === `POST ${LEASES}`)).toBe(true);
  const b = start('b');
  api.put('pods', pod('p', { status: running(at(0)) }));
  // The other one follows the mark of the first, and so knows the same.
  for (let minute = 1; minute <= 4; minute++) {
    await expect.poll(() => telling(minute * 60 + 6, () => a.taken())).toBeGreaterThanOrEqual(minute);
  }
  expect(b.taken()).toBe(0);
  const reported = () => Math.max(0, ...b.reports.map(({ upToMs }) => upToMs ?? 0));
  await expect.poll(() => telling(246, () => reported())).toBeGreaterThanOrEqual(T0 + 180_000);
  await a.stop();
  await expect.poll(() => telling(306, () => b.taken())).toBeGreaterThan(0);
  await b.stop();
  expect(total(all(), 'duration_seconds')).toBe('300');
  expect(eventsIn(join(folder.path, 'b')).length).toBeLessThanOrEqual(2);
  expect(api.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
});

test('a holder that dies is followed when its lease has run out by the watch of the other', async () => {
  const a = start('a');
  api.put('pods', pod('p', { status: running(at(0)) }));
  await expect.poll(() => telling(66, () => a.taken())).toBe(1);
  await a.kill();
  const b = start('b');
  await expect.poll(() => telling(186, () => b.taken())).toBeGreaterThan(0);
  await b.stop();
  expect(total(all(), 'duration_seconds')).toBe('180');
});

test('without an answer about the lease nobody counts, and both at once count once', async () => {
  let isAway = true;
  api.answer = (_method, url) =>
    url.pathname.startsWith(LEASES) && isAway ? { status: 503, body: { message: 'away' } } : undefined;
  const a = start('a');
  api.put('pods', pod('p', { status: running(at(0)) }));
  await tell(66);
  await expect.poll(() => a.logged.some(({ msg }) => msg === 'the lease cannot be kept')).toBe(true);
  await tell(66);
  expect(a.taken()).toBe(0);
  isAway = false;
  await expect.poll(() => telling(66, () => a.taken())).toBe(1);
  // Somebody else believes that it holds the lease as well: the same name, so the same ids.
  const own = join(folder.path, 'b');
  mkdirSync(own, { recursive: true });
  const b = startSource(api, own, { resources: { lookback: '1h' } });
  await expect.poll(() => telling(126, () => b.taken() >= 2 && a.taken() >= 2)).toBe(true);
  await Promise.all([a.stop(), b.stop()]);
  expect(total(all(), 'duration_seconds')).toBe('120');
});
