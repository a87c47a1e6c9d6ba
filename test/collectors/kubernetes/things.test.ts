import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Json, type KubernetesApi, startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
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

/** Nodes, volumes and claims: how long there was how much of them. */
const { nodes }: Json = JSON.parse(
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

async function tell(seconds: number): Promise<void> {
  api.nowMs = T0 + seconds * 1000;
  const watched = api.watched();
  api.cut();
  await watched;
}
async function eventsOf(resourceType: string, story: (source: RunningSource) => Promise<void>): Promise<Json[]> {
  const watched = api.watched();
  const source = startSource(api, folder.path, { resources: { resource_type: resourceType } });
  await watched;
  await story(source);
  await tell(306);
  await countedTo(source, T0 + 300_000);
  await source.stop();
  return eventsIn(folder.path);
}

test('a node counts from when it was made until it is deleted, by its capacity', async () => {
  const [node] = nodes;
  const events = await eventsOf('node', async ({ reports }) => {
    api.put('nodes', { ...node, metadata: { ...node.metadata, creationTimestamp: at(30) } });
    await tell(150);
    api.remove('nodes', node.metadata.namespace, node.metadata.name);
    const before = reports.length;
    api.bookmark();
    await expect.poll(() => reports.length).toBeGreaterThan(before);
  });
  expect(events[0]).toMatchObject({
    type: 'kube-node-time',
    subject: 'node-1',
    data: {
      node_name: 'node-1',
      cpu_capacity_cores: '16',
      memory_capacity_bytes: '67108864000',
      gpu_capacity_count: '4',
    },
  });
  expect(Number(total(events, 'duration_seconds'))).toBeCloseTo(120, 0);
  expect(events.at(-1).data.end_estimated).toBeUndefined();
});

test('a volume counts by its bytes, and a larger one from when it is larger', async () => {
  const volume = (storage: string) => ({
    metadata: { name: 'pv-1', annotations: { 'openmeter.io/subject': 'customer-1', 'data.openmeter.io/tier': 'fast' } },
    spec: { capacity: { storage }, storageClassName: 'ssd', claimRef: { name: 'data', namespace: 'default' } },
    status: { phase: 'Bound' },
  });
  const events = await eventsOf('persistentvolume', async () => {
    api.put('persistentvolumes', volume('1Gi'));
    await tell(90);
    api.put('persistentvolumes', volume('3Gi'));
  });
  expect(events[0]).toMatchObject({
    type: 'kube-storage-time',
    subject: 'customer-1',
    data: { pv_name: 'pv-1', claim_name: 'data', storage_class: 'ssd', tier: 'fast', storage_bytes: '1073741824' },
  });
  expect(total(events, 'storage_byte_seconds')).toBe(String(2 ** 30 * (90 + 3 * 210)));
});

test('a claim counts once it is bound', async () => {
  const claim = (phase: string) => ({
    metadata: { name: 'data', namespace: 'default' },
    spec: { resources: { requests: { storage: '10Gi' } } },
    status: { phase, ...(phase === 'Bound' && { capacity: { storage: '16Gi' } }) },
  });
  const events = await eventsOf('persistentvolumeclaim', async () => {
    api.put('persistentvolumeclaims', claim('Pending'));
    await tell(100);
    api.put('persistentvolumeclaims', claim('Bound'));
  });
  expect(total(events, 'duration_seconds')).toBe('200');
  expect(events[0].data).toMatchObject({
    pvc_name: 'data',
    pvc_namespace: 'default',
    storage_bytes: String(16 * 2 ** 30),
  });
});
