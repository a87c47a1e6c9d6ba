import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { startCollect } from '../support/collectors/running.ts';
import { type S3Server, startS3Server } from '../support/collectors/s3-server.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** docs/collect-s3.md, end to end: its configuration, files in a bucket, a meter, a plan, the preview. */
let served: ServedBackend;
let s3: S3Server;
const folder = tempFolder();
beforeAll(async () => {
  served = await serveBackend(new Date(Date.now() - 60_000).toISOString());
  s3 = await startS3Server('my-bucket');
});
afterAll(async () => {
  await Promise.all([served.close(), s3.close()]);
  folder.remove();
});

/** The configuration of the page, for the store of the test. */
function documentedConfig(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/collect-s3.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const store = `endpoint: "${s3.url}"\n    force_path_style_urls: true\n    credentials: { id: AKTEST, secret: s3cret }`;
  return `${yaml.replace('poll: 1m', `poll: 100ms\n    ${store}`)}
buffer: { sqlite: { path: "${join(folder.path, 'spool.sqlite')}" } }
http: { enabled: false, address: "127.0.0.1:0" }
`;
}

test('files of a bucket are on the preview, late ones too, and each row once', async () => {
  const calls = callsOf(served.backend);
  const meter = await calls.ok('POST', '/meters', {
    key: 'exported',
    name: 'Exported',
    event_type: 'your-usage-event-type',
    aggregation: 'sum',
    value_property: '$.data',
  });
  const feature = await calls.ok('POST', '/features', { key: 'exported', name: 'Exported', meter: { id: meter.id } });
  const card = {
    key: 'exported',
    name: 'Exported',
    feature: { id: feature.id },
    billing_cadence: 'P1M',
    price: { type: 'unit', amount: '0.5' },
  };
  await calls.publishPlan('exports', { name: 'Exports', phases: [phase([card])] });
  const customer = await calls.ok('POST', '/customers', { key: 'acme', name: 'Acme' });
  await calls.ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { key: 'exports' } });
  served.backend.clock.advanceMs(60_000);

  const time = new Date(served.backend.clock.nowMs()).toISOString();
  const hour = new Date().toISOString().slice(0, 13).replaceAll(/[-T]/g, '/');
  const row = (id: string, data: string) => ({ id, time, subject_field: 'acme', data_field: data });
  s3.put(
    `usage/${hour}/b.jsonl.gz`,
    gzipSync(`${JSON.stringify(row('r-1', '1.1'))}\n${JSON.stringify(row('r-2', '2.2'))}\n`),
  );
  s3.put(`usage/${hour}/c.csv`, `id,time,subject_field,data_field\nr-3,${time},acme,3.3\nr-4,${time},somebody,100\n`);

  const environment = { OPENMETER_URL: `${served.url}/v3/openmeter`, OPENMETER_TOKEN: TOKENS.ingest };
  const once = async () => {
    const collector = startCollect(documentedConfig(), ['--once'], environment);
    expect(await collector.ended, collector.said.join()).toBe(0);
  };
  await once();
  // Late, before all others by its key; and the first file in another packing, with a row more: its rows have their own ids.
  s3.put(`usage/${hour}/a.json`, JSON.stringify([row('r-5', '4.4')]));
  s3.put(
    `usage/${hour}/b.jsonl.gz`,
    [row('r-1', '1.1'), row('r-2', '2.2'), row('r-6', '5')].map((one) => JSON.stringify(one)).join('\n'),
  );
  await once();
  await once();

  // 1.1 + 2.2 + 3.3 + 4.4 + 5 = 16 of acme's, half a dollar each.
  const { lines, totals } = await calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
  expect(lines).toMatchObject([{ name: 'Exported', detailed_lines: [{ quantity: '16', unit_price: '0.5' }] }]);
  expect(totals.total).toBe('8');
  const sources = await calls.ok('GET', '/sources');
  expect(sources.data).toMatchObject([
    { node: 'collector:usage-bucket', kind: 'aws_s3', stored: 6, missing_count: 0, report: { waiting: 0 } },
  ]);
});
