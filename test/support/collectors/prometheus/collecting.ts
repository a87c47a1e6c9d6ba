import { Decimal } from 'decimal.js';
import { expect } from 'vitest';
import { collectorConfig } from '../collector-config.ts';
import { startCollect } from '../running.ts';

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
export const configOf = (input: string, folder: string, url: string): string =>
  collectorConfig({
    name: 'prom',
    input: `prometheus:
${input.replaceAll(/^/gm, '  ')}`,
    mapping: MAPPING,
    url,
    spool: `${folder}/spool.sqlite`,
  });

/** What a collector with an empty cursor makes of what is there. */
export async function dryRun(config: string): Promise<readonly Collected[]> {
  const collect = startCollect(config, ['--dry-run', '--once']);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect.printed.map((line) => JSON.parse(line) as Collected);
}

/** By subject, exactly. */
export function sumsOf(events: readonly Collected[], type?: string): Record<string, string> {
  const sums: Record<string, string> = {};
  for (const { subject, data } of events.filter((one) => type === undefined || one.type === type)) {
    sums[subject] = new Decimal(sums[subject] ?? 0).plus(data.value).toFixed();
  }
  return sums;
}
