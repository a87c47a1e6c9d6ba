// How long a collector takes to catch up with a day of a thousand pods: to list them, to cut their lives into slices of a minute, to
// commit and to deliver them to an endpoint that takes everything; and what memory it has meanwhile.
//   npm run bench:collect-kubernetes -- [--pods N] [--minutes N] [--rounds N] [--dir FOLDER]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fetch } from 'undici';
import { startKubernetesApi } from '../test/collectors/support/kubernetes-api.ts';
import { startProcess } from './processes.ts';
import { ratioLine } from './report.ts';

const LIMIT_SECONDS = 60;
const LIMIT_MIB = 200;
const MINUTE_MS = 60_000;
const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '1440' },
    rounds: { type: 'string', default: '1' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const [pods, minutes, rounds] = [values.pods, values.minutes, values.rounds].map((text) =>
  Number.parseInt(text, 10),
) as [number, number, number];
const folder = mkdtempSync(join(values.dir, 'bench-collect-kubernetes-'));
const receiver = await startProcess(['bench/event-receiver.ts'], {});
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
  join(folder, 'kubeconfig'),
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
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `
name: bench-${round}
input:
  schedule:
    interval: 60s
    input: { kubernetes_resources: { kubeconfig: "${join(folder, 'kubeconfig')}", lookback: ${minutes}m } }
pipeline: { processors: [{ preset: kubernetes-pod-exec-time }] }
output: { openmeter: { url: "${receiver.url}", batching: { count: 1000 } } }
buffer: { sqlite: { path: "${join(folder, `spool-${round}.sqlite`)}" } }
http: { address: "127.0.0.1:0" }
`,
  );
  const flags = ['--max-semi-space-size=4', '--max-old-space-size=256'];
  const startedAt = performance.now();
  const collector = await startProcess([...flags, 'bench/collect-process.ts', config], {});
  const { metrics } = JSON.parse(collector.url.replaceAll("'", '"')) as { metrics: string };
  const sent = new RegExp(`openmeter_events_sent\\{[^}]*\\} ${pods * minutes}\\b`);
  let memory = 0;
  for (;;) {
    const text = await (await fetch(`${metrics}/metrics`)).text();
    memory = Math.max(memory, collector.memoryBytes());
    if (sent.test(text)) break;
    await pause(100);
  }
  const took = (performance.now() - startedAt) / 1000;
  const cpu = collector.cpuSeconds();
  seconds.push(took);
  memories.push(memory / 1024 / 1024);
  const rate = Math.round((pods * minutes) / took).toLocaleString('en');
  console.log(
    `round ${round}: ${took.toFixed(1)} s, ${rate} events/s, ${cpu.toFixed(1)} s of CPU time, ${Math.round(memory / 1e6)} MB resident`,
  );
  await collector.stop();
}
console.log(ratioLine(`${minutes} minutes of ${pods} pods delivered, seconds`, seconds, LIMIT_SECONDS, 'at most'));
console.log(ratioLine('most resident memory, MiB', memories, LIMIT_MIB, 'at most'));
await receiver.stop();
await api.close();
rmSync(folder, { recursive: true });
