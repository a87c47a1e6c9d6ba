import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { type KubernetesApi, startKubernetesApi } from '../support/collectors/kubernetes-api.ts';
import { finished, pod, running } from '../support/collectors/kubernetes-objects.ts';
import { startCollect } from '../support/collectors/running.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** docs/collect-kubernetes.md, end to end: its configuration, a cluster's API, its meter, a plan, the preview. */
const HOUR_MS = 3_600_000;
const BEGIN = Math.floor(Date.now() / HOUR_MS - 2) * HOUR_MS;
const at = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString().replace('.000Z', 'Z');
let served: ServedBackend;
let api: KubernetesApi;
let calls: ReturnType<typeof callsOf>;
const folder = tempFolder();
beforeAll(async () => {
  served = await serveBackend(new Date(BEGIN - HOUR_MS).toISOString());
  api = await startKubernetesApi(BEGIN);
  calls = callsOf(served.backend);
});
afterAll(async () => {
  await api.close();
  await served.close();
  folder.remove();
});

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/collect-kubernetes.md'), 'utf8');
/** The configuration of the page, for the cluster of the test. */
function documentedConfig(): string {
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(PAGE) ?? [];
  const files = `api_server: "${api.url}"\n        token_file: "${join(folder.path, 'token')}"\n        ca_file: "${join(folder.path, 'ca')}"`;
  return `${yaml.replace('resource_type: pod', `resource_type: pod\n        ${files}`)}
buffer: { sqlite: { path: "${join(folder.path, 'spool.sqlite')}" } }
http: { enabled: false, address: "127.0.0.1:0" }
`;
}

test('what pods ask for while they run is on the preview of who pays for them', async () => {
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(folder.path, 'token'), 'token-1');
  writeFileSync(join(folder.path, 'ca'), '');
  const [, documented = ''] = /-d '(\{\n {2}"key": "pod_cpu"[\s\S]*?\n\})'/.exec(PAGE) ?? [];
  const meter = await calls.ok('POST', '/meters', JSON.parse(documented));
  const feature = await calls.ok('POST', '/features', { key: 'pod_cpu', name: 'CPU of pods', meter: { id: meter.id } });
  const card = {
    key: 'pod_cpu',
    name: 'CPU of pods',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount: '0.01' },
  };
  await calls.publishPlan('compute', { name: 'Compute', phases: [phase([card])] });
  const customer = await calls.ok('POST', '/customers', {
    key: 'customer-1',
    name: 'Acme',
    usage_attribution: { subject_keys: ['customer-1'] },
  });
  await calls.ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { key: 'compute' } });
  served.backend.clock.set(new Date(BEGIN + HOUR_MS).toISOString());

  const labels = { billed: 'true' };
  const metadata = { labels, annotations: { 'openmeter.io/subject': 'customer-1', 'data.openmeter.io/tier': 'gold' } };
  const environment = { OPENMETER_URL: `${served.url}/v3/openmeter`, OPENMETER_TOKEN: TOKENS.ingest };
  const once = async (args: string[] = []) => {
    const collector = startCollect(documentedConfig(), ['--once', ...args], environment);
    expect(await collector.ended, collector.said.join()).toBe(0);
    return collector;
  };
  expect(await startCollect(documentedConfig(), ['--check'], environment).ended).toBe(0);
  api.put('pods', pod('web', { metadata, status: running(at(10)) }));
  api.put('pods', pod('not-billed', { status: running(at(10)) }));
  api.nowMs = BEGIN + 100_000;
  const dry = await once(['--dry-run']);
  expect(dry.printed.map((line) => JSON.parse(line).data)).toMatchObject([
    { pod_name: 'web', duration_seconds: '50', tier: 'gold' },
  ]);
  await once();
  // Meanwhile, nobody looks: one ends, and one lives for two seconds.
  api.nowMs = BEGIN + 150_000;
  api.put('pods', pod('web', { metadata, status: finished(at(10), at(140)) }));
  api.put('pods', pod('short', { metadata, status: running(at(145)) }));
  api.put('pods', pod('short', { metadata, status: finished(at(145), at(147)) }));
  api.remove('pods', 'default', 'short');
  api.nowMs = BEGIN + 250_000;
  await once();
  await once();

  // Half a core for 130 s and for 2 s: 66 core seconds, a cent each.
  const { lines, totals } = await calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
  expect(lines).toMatchObject([{ name: 'CPU of pods', detailed_lines: [{ quantity: '66', unit_price: '0.01' }] }]);
  expect(totals.total).toBe('0.66');
  const nodes: Json = await calls.ok('GET', '/gateway-nodes');
  expect(nodes.data).toMatchObject([{ node: 'collector:pods-eu', stored: 4, missing_count: 0 }]);
});
