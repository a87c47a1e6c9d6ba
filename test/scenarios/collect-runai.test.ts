import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { type RunaiServer, startRunaiServer } from '../support/collectors/runai-server.ts';
import { startCollect } from '../support/collectors/running.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** docs/collect-runai.md, end to end: its configuration, a server with Run:ai's API, meters, a plan, the preview. */
const HOUR_MS = 3_600_000;
const BEGIN = Math.floor(Date.now() / HOUR_MS - 2) * HOUR_MS;
let served: ServedBackend;
let runai: RunaiServer;
let calls: ReturnType<typeof callsOf>;
const folder = tempFolder();
beforeAll(async () => {
  served = await serveBackend(new Date(BEGIN).toISOString());
  runai = await startRunaiServer(BEGIN + 30_000);
  calls = callsOf(served.backend);
});
afterAll(async () => {
  await runai.close();
  await served.close();
  folder.remove();
});

/** The configuration of the page, with a spool of its own. */
function documentedConfig(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/collect-runai.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(yaml).toContain('run_ai');
  return `${yaml}
buffer: { sqlite: { path: "${join(folder.path, 'spool.sqlite')}" } }
http: { enabled: false, address: "127.0.0.1:0" }
`;
}

const cardOf = (key: string, feature: Json, amount: string) => ({
  key,
  name: feature.name,
  feature: { id: feature.id },
  billing_cadence: 'P1M',
  price: { type: 'unit', amount },
});

async function featureOf(key: string, name: string, property: string): Promise<Json> {
  const meter = await calls.ok('POST', '/meters', {
    key,
    name,
    event_type: 'workload',
    aggregation: 'sum',
    value_property: property,
    dimensions: { name: '$.name' },
  });
  return calls.ok('POST', '/features', { key, name, meter: { id: meter.id } });
}

test('GPU and CPU minutes of a project are on its customer’s preview', async () => {
  const gpu = await featureOf('gpu_minutes', 'GPU minutes', '$.gpu_allocation_minutes');
  const cpu = await featureOf('cpu_minutes', 'CPU minutes', '$.cpu_limit_core_minutes');
  const cards = [cardOf('gpu_minutes', gpu, '0.2'), cardOf('cpu_minutes', cpu, '0.05')];
  await calls.publishPlan('runai', { name: 'Run:ai', phases: [phase(cards)] });
  const customer = await calls.ok('POST', '/customers', {
    key: 'acme',
    name: 'Acme',
    usage_attribution: { subject_keys: ['proj-1'] },
  });
  await calls.ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { key: 'runai' } });

  const environment = {
    RUNAI_URL: runai.url,
    RUNAI_APP_ID: 'app',
    RUNAI_APP_SECRET: 's3cret',
    OPENMETER_URL: `${served.url}/v3/openmeter`,
    OPENMETER_TOKEN: TOKENS.ingest,
  };
  const collect = async () => {
    const collector = startCollect(documentedConfig(), ['--once'], environment);
    expect(await collector.ended, collector.said.join()).toBe(0);
  };
  await collect();
  // Two GPUs and a limit of eight cores: 300 s, preempted for 90 s, then 210 s: 8.5 minutes.
  const at = (seconds: number) => BEGIN + seconds * 1000;
  runai.workloads.push({
    id: '5f1d2c3b-0000-4000-8000-00000000000a',
    name: 'train-a',
    createdAtMs: at(296),
    phases: [
      { atMs: at(306), phase: 'Running' },
      { atMs: at(606), phase: 'Pending' },
      { atMs: at(696), phase: 'Running' },
    ],
    completedAtMs: at(906),
    metric: (type) => (type === 'GPU_ALLOCATION' ? 2 : type === 'CPU_LIMIT_CORES' ? 8 : undefined),
  });
  runai.nowMs = at(620);
  await collect();
  runai.nowMs = at(1200);
  await collect();
  await collect();
  served.backend.clock.advanceMs(at(1200) - served.backend.clock.nowMs());

  const { lines, totals } = await calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
  const billed = lines.map(({ name, detailed_lines: [{ quantity, unit_price }] }: Json) => [
    name,
    quantity,
    unit_price,
  ]);
  // 2 × 8.5 = 17 GPU minutes at 0.20, 8 × 8.5 = 68 core minutes at 0.05.
  expect(billed.sort()).toEqual([
    ['CPU minutes', '68', '0.05'],
    ['GPU minutes', '17', '0.2'],
  ]);
  expect(totals.total).toBe('6.8');
  // Eleven slices of the first run, and eight of the second, each counted once.
  const nodes = await calls.ok('GET', '/gateway-nodes');
  expect(nodes.data).toMatchObject([{ node: 'collector:runai', received: 19, stored: 19, missing_count: 0 }]);
});
