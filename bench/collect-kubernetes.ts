// How long a collector takes to catch up with a day of a thousand pods: to list them, to cut their lives into slices of a minute, to
// commit and to deliver them to an endpoint that takes everything; and what memory it has meanwhile.
//   npm run bench:collect-kubernetes -- [--pods N] [--minutes N] [--rounds N] [--dir FOLDER]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startKubernetesApi } from '../test/support/collectors/kubernetes-api.ts';
import { startCollectBench } from './collecting.ts';
import { ratioLine } from './report.ts';

const LIMIT_SECONDS = 60;
const LIMIT_MIB = 200;
const MINUTE_MS = 60_000;
const bench = await startCollectBench('collect-kubernetes', { pods: 1000, minutes: 1440, rounds: 1 });
const { pods, minutes, rounds } = bench.numbers;
const kubeconfig = join(bench.folder, 'kubeconfig');
const beginMs = Date.parse('2026-11-30T00:00:00Z');
const begin = new Date(beginMs).toISOString();
const api = await startKubernetesApi(beginMs);
for (let index = 0; index < pods; index++) {
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  api.put('pods', {
    metadata: {
      name: `pod-${index}`,
      namespace: 'default',
      labels: { app: `app-${index % 50}` },
      annotations: { 'openmeter.io/subject': `customer-${index % 100}` },
    },
    spec: {
      nodeName: 'node-1',
      containers: [
        { name: 'app', image: 'img:1', resources },
        { name: 'proxy', image: 'img:1', resources },
      ],
    },
    status: {
      phase: 'Running',
      containerStatuses: ['app', 'proxy'].map((name) => ({ name, state: { running: { startedAt: begin } } })),
    },
  });
}
api.nowMs = beginMs + minutes * MINUTE_MS + 31_000;
writeFileSync(
  kubeconfig,
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    clusters: [{ name: 'c', cluster: { server: api.url } }],
    users: [{ name: 'c', user: { token: 't' } }],
  }),
);
const seconds: number[] = [];
const memories: number[] = [];
for (let round = 1; round <= rounds; round++) {
  const startedAt = performance.now();
  const collector = await bench.start(round, {
    input: `
schedule:
  interval: 60s
  input: { kubernetes_resources: { kubeconfig: "${kubeconfig}", lookback: ${minutes}m } }`,
    preset: 'kubernetes-pod-exec-time',
    batching: '{ count: 1000 }',
  });
  const memory = await collector.untilSent(pods * minutes);
  const took = (performance.now() - startedAt) / 1000;
  const cpu = collector.process.cpuSeconds();
  seconds.push(took);
  memories.push(memory / 1024 / 1024);
  const rate = Math.round((pods * minutes) / took).toLocaleString('en');
  console.log(
    `round ${round}: ${took.toFixed(1)} s, ${rate} events/s, ${cpu.toFixed(1)} s of CPU time, ${Math.round(memory / 1e6)} MB resident`,
  );
  await collector.process.stop();
}
console.log(ratioLine(`${minutes} minutes of ${pods} pods delivered, seconds`, seconds, LIMIT_SECONDS, 'at most'));
console.log(ratioLine('most resident memory, MiB', memories, LIMIT_MIB, 'at most'));
await bench.close();
await api.close();
