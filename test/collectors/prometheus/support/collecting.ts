import { Decimal } from 'decimal.js';
import { expect } from 'vitest';
import { type RunningCollect, startCollect } from '../../support/running.ts';

/** An event as the mapping of these tests makes it. */
export interface Collected {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  readonly data: { readonly value: string; readonly metric: Record<string, string> };
}

const MAPPING =
  '$map(values, function($v) {{"type": $$.name, "source": "prometheus", "subject": $v.metric.tenant ? $v.metric.tenant : "all", "data": {"value": $v.value[1], "metric": $v.metric}}})';

/** A configuration with what stands below `prometheus`. */
export function configOf(input: string, folder: string, output: string, more = ''): string {
  return `
name: prom
input:
  prometheus:
${input.replaceAll(/^/gm, '    ')}
pipeline: { processors: [{ jsonata: ${JSON.stringify(MAPPING)} }] }
output: { openmeter: { url: "${output}", batching: { count: 1000, period: 10ms } } }
buffer: { sqlite: { path: "${folder}/spool.sqlite" } }
http: { address: "127.0.0.1:0" }
${more}`;
}

/** What a collector with an empty cursor makes of what is there. */
export async function dryRun(config: string): Promise<readonly Collected[]> {
  const collect = startCollect(config, ['--dry-run', '--once']);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect.printed.map((line) => JSON.parse(line) as Collected);
}

export async function once(config: string): Promise<RunningCollect> {
  const collect = startCollect(config, ['--once']);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect;
}

/** By subject, exactly. */
export function sumsOf(events: readonly Collected[], type?: string): Record<string, string> {
  const sums: Record<string, string> = {};
  for (const { subject, data } of events.filter((one) => type === undefined || one.type === type)) {
    sums[subject] = new Decimal(sums[subject] ?? 0).plus(data.value).toFixed();
  }
  return sums;
}
