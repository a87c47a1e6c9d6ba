import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../support/answers.ts';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import {
  type History,
  HOW_TO_GET_IT,
  hasPrometheus,
  type RealPrometheus,
  startPrometheus,
} from '../support/collectors/prometheus/real-prometheus.ts';
import { startCollect } from '../support/collectors/running.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';

/** docs/collect-prometheus.md, end to end: its configuration, a real Prometheus, meters, a plan, the preview. */
const MINUTE_MS = 60_000;
const startMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 20 * MINUTE_MS;
const SCRAPES = Array.from({ length: 40 }, (_, index) => index);
const series = (name: string, tenant: string, from: number, valueAt: (scrape: number) => number): History => ({
  name,
  labels: { env: 'prod', job: 'api', instance: 'api:8080', ...(tenant !== '' && { tenant }) },
  samples: SCRAPES.filter((scrape) => scrape >= from).map(
    (scrape) => [startMs + 5000 + scrape * 15_000, String(valueAt(scrape))] as const,
  ),
});
/** Ten minutes of scrapes each 15 s. */
const HISTORY: readonly History[] = [
  series('up', '', 0, () => 1),
  // 3 a scrape from 1000, and from the 20th on anew, from 2.
  series('billing_requests_total', 'acme', 0, (scrape) => (scrape < 20 ? 1000 + 3 * scrape : 2 + 3 * (scrape - 20))),
  // A customer whose first four requests came between two scrapes.
  series('billing_requests_total', 'globex', 8, (scrape) => 4 + (scrape - 8)),
  // Two GPUs for five minutes, then four.
  series('gpus_in_use', 'acme', 0, (scrape) => (scrape < 20 ? 2 : 4)),
];

let served: ServedBackend;
let prometheus: RealPrometheus;
const folder = tempFolder();
beforeAll(async () => {
  if (!hasPrometheus) return;
  prometheus = await startPrometheus(HISTORY);
  served = await serveBackend(new Date(startMs - MINUTE_MS).toISOString());
});
afterAll(async () => {
  await Promise.all([served?.close(), prometheus?.close()]);
  folder.remove();
});

/** The configuration of the page, from where the history begins. */
function documentedConfig(): string {
  const page = readFileSync(join(import.meta.dirname, '../../docs/collect-prometheus.md'), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  return `${yaml.replace('    counters:', `    start: ${new Date(startMs).toISOString()}\n    counters:`)}
buffer: { sqlite: { path: "${join(folder.path, 'spool.sqlite')}" } }
http: { enabled: false, address: "127.0.0.1:0" }
`;
}

describe.skipIf(!hasPrometheus)(`the page on Prometheus (${HOW_TO_GET_IT})`, () => {
  test('requests and hours of GPUs are on the preview, to the last one, however often it runs', async () => {
    const calls = callsOf(served.backend);
    const cards: Json[] = [];
    for (const [key, amount] of [
      ['api_requests', '0.25'],
      ['gpu_hours', '10'],
    ] as const) {
      const meter = await calls.ok('POST', '/meters', {
        key,
        name: key,
        event_type: key,
        aggregation: 'sum',
        value_property: '$.value',
        dimensions: { tenant: '$.metric.tenant' },
      });
      const feature = await calls.ok('POST', '/features', { key, name: key, meter: { id: meter.id } });
      cards.push({
        key,
        name: key,
        feature: { id: feature.id },
        billing_cadence: 'P1M',
        price: { type: 'unit', amount },
      });
    }
    await calls.publishPlan('served', { name: 'Served', phases: [phase(cards)] });
    const acme = await calls.ok('POST', '/customers', { key: 'acme', name: 'Acme' });
    const globex = await calls.ok('POST', '/customers', { key: 'globex', name: 'Globex' });
    for (const { id } of [acme, globex])
      await calls.ok('POST', '/subscriptions', { customer: { id }, plan: { key: 'served' } });
    served.backend.clock.advanceMs(21 * MINUTE_MS);

    const environment = {
      OPENMETER_URL: `${served.url}/v3/openmeter`,
      OPENMETER_TOKEN: TOKENS.ingest,
      PROMETHEUS_URL: prometheus.url,
    };
    for (let run = 0; run < 2; run++) {
      const collector = startCollect(documentedConfig(), ['--once'], environment);
      expect(await collector.ended, collector.said.join()).toBe(0);
    }
    // A second time from the start, as by a collector that has lost its disk.
    const again = startCollect(documentedConfig().replace('spool.sqlite', 'new.sqlite'), ['--once'], environment);
    expect(await again.ended, again.said.join()).toBe(0);

    // acme: 19 × 3 up to the restart, 2 after it, 19 × 3: 116 requests at 0.25. 5 min × 2 GPUs + 5 min × 4 = 0.5 h at 10.
    const preview = await calls.ok('GET', `/customers/${acme.id}/invoice-preview`);
    expect(preview.lines.map(({ name, detailed_lines: lines }: Json) => [name, lines[0].quantity])).toEqual(
      expect.arrayContaining([
        ['api_requests', '116'],
        ['gpu_hours', '0.5'],
      ]),
    );
    expect(preview.totals.total).toBe('34');
    // globex: 4 at first, and 31 more.
    const other = await calls.ok('GET', `/customers/${globex.id}/invoice-preview`);
    expect(other.totals.total).toBe('8.75');
  });
});
