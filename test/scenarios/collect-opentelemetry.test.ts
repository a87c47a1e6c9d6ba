import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { startCollect } from '../support/collectors/running.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** docs/collect-opentelemetry.md, end to end: its configuration, the official exporter, a meter, a plan, the preview. */
let served: ServedBackend;
let calls: ReturnType<typeof callsOf>;
const folder = tempFolder();
beforeAll(async () => {
  served = await serveBackend(new Date(Date.now() - 60_000).toISOString());
  calls = callsOf(served.backend);
});
afterAll(async () => {
  await served.close();
  folder.remove();
});

/** The configuration of the page, with ports of its own. */
function documentedConfig(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/collect-opentelemetry.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(yaml).toContain('id_attribute');
  return `${yaml.replace(/:431\d\b/g, ':0')}
buffer: { sqlite: { path: "${join(folder.path, 'spool.sqlite')}" } }
http: { enabled: false, address: "127.0.0.1:0" }
`;
}

const CALLS = [
  {
    request_id: 'r-1',
    subject: 'acme',
    method: 'GET',
    path: '/v1/items',
    region: 'eu-central-1',
    zone: 'a',
    duration: 12.5,
  },
  {
    request_id: 'r-2',
    subject: 'acme',
    method: 'GET',
    path: '/v1/items',
    region: 'eu-central-1',
    zone: 'b',
    duration: 0.1,
  },
  {
    request_id: 'r-3',
    subject: 'acme',
    method: 'POST',
    path: '/v1/items',
    region: 'us-east-1',
    zone: 'a',
    duration: 0.2,
  },
  {
    request_id: 'r-4',
    subject: 'somebody',
    method: 'GET',
    path: '/v1/items',
    region: 'us-east-1',
    zone: 'a',
    duration: 99,
  },
];

test('logs of calls are on the preview of the customer who made them, however often they are sent', async () => {
  const meter = await calls.ok('POST', '/meters', {
    key: 'call_time',
    name: 'Call time',
    event_type: 'api-calls',
    aggregation: 'sum',
    value_property: '$.duration_ms',
    dimensions: { region: '$.region' },
  });
  const feature = await calls.ok('POST', '/features', { key: 'call_time', name: 'Call time', meter: { id: meter.id } });
  const card = {
    key: 'call_time',
    name: 'Call time',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount: '2' },
  };
  await calls.publishPlan('calls', { name: 'Calls', phases: [phase([card])] });
  const customer = await calls.ok('POST', '/customers', { key: 'acme', name: 'Acme' });
  await calls.ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { key: 'calls' } });
  served.backend.clock.advanceMs(60_000);

  const environment = { OPENMETER_URL: `${served.url}/v3/openmeter`, OPENMETER_TOKEN: TOKENS.ingest };
  for (const received of [4, 8]) {
    const collector = startCollect(documentedConfig(), [], environment);
    const { http } = await collector.line('taking OTLP logs');
    await emit(http as number);
    const node = async () => (await calls.ok('GET', '/gateway-nodes')).data[0]?.received;
    await expect.poll(node, { timeout: 20_000 }).toBe(received);
    expect(await total(meter.id)).toBe('111.8');
    expect(await collector.stop()).toBe(0);
  }

  // 12.5 + 0.1 + 0.2 = 12.8 of acme's, two dollars each.
  const { lines, totals } = await calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
  expect(lines).toMatchObject([{ name: 'Call time', detailed_lines: [{ quantity: '12.8', unit_price: '2' }] }]);
  expect(totals.total).toBe('25.6');
  const byRegion = await calls.call('POST', `/meters/${meter.id}/query`, { group_by_dimensions: ['region'] });
  expect(byRegion.json.data.map(({ value, dimensions }: Json) => [dimensions.region, value]).sort()).toEqual([
    ['eu-central-1', '12.6'],
    ['us-east-1', '99.2'],
  ]);

  // The ledger shows the collector as a node whose numbers have no gaps.
  const nodes = await calls.ok('GET', '/gateway-nodes');
  expect(nodes.data).toMatchObject([
    { node: 'collector:access-logs', received: 8, stored: 4, duplicates: 4, taken: 8, missing_count: 0 },
  ]);
});

async function total(meterId: string): Promise<unknown> {
  const { json } = await calls.call('POST', `/meters/${meterId}/query`, {});
  return json.data[0]?.value;
}

async function emit(port: number): Promise<void> {
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${port}/v1/logs` });
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter } as never)] });
  const time = new Date(served.backend.clock.nowMs()).toISOString();
  for (const attributes of CALLS)
    provider.getLogger('calls').emit({ body: 'a call', attributes: { ...attributes, time } });
  await provider.forceFlush();
  await provider.shutdown();
}
