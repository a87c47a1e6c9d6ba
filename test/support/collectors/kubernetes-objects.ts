import type { Json } from './kubernetes-api.ts';

/** A pod as the API has it; statuses are a kubelet's. */
export function pod(name: string, overrides: Json = {}): Json {
  const { metadata = {}, spec = {}, status = {} } = overrides;
  const requests = { cpu: '500m', memory: '1Gi' };
  return {
    metadata: { name, namespace: 'default', annotations: { 'openmeter.io/subject': 'customer-1' }, ...metadata },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'c', image: 'img:1', env: [{ name: 'SECRET', value: 'hush' }], resources: { requests } }],
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  };
}

export const running = (startedAt: string, more: Json = {}): Json => ({
  phase: 'Running',
  containerStatuses: [{ name: 'c', restartCount: 0, state: { running: { startedAt } }, lastState: {}, ...more }],
});

export const finished = (startedAt: string, finishedAt: string, phase = 'Succeeded'): Json => ({
  phase,
  containerStatuses: [
    { name: 'c', restartCount: 0, state: { terminated: { startedAt, finishedAt, exitCode: 0 } }, lastState: {} },
  ],
});
