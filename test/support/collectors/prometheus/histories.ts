import { Decimal } from 'decimal.js';
import type { History } from './real-prometheus.ts';

const SCRAPE_MS = 15_000;
const JOB = { job: 'app' };

export interface Story {
  readonly startMs: number;
  readonly endMs: number;
  readonly history: readonly History[];
  /** What the counter of each tenant rose by between the first and the last scrape, as far as a scrape saw it. */
  readonly seen: Readonly<Record<string, string>>;
}

/**
 * Twenty minutes of two targets that are scraped each 15 s. Tenant a counts in tenths on both, and the first target's process
 * begins anew after 6 minutes; tenant b comes after 4 minutes; for 3 minutes from the 10th nothing is scraped; gauges of GPUs.
 */
export function twentyMinutes(endMs: number): Story {
  const startMs = endMs - 20 * 60_000;
  const scrapes = Array.from({ length: 80 }, (_, index) => index).filter((index) => index < 40 || index >= 52);
  const at = (index: number) => startMs + index * SCRAPE_MS + 5000;
  const seen = new Map<string, Decimal>();
  const series = (
    instance: string,
    tenant: string,
    step: string,
    from: number,
    resetAt: number,
    isSeenBefore: boolean,
  ): History => {
    let last: Decimal | undefined;
    const samples = scrapes
      .filter((index) => index >= from)
      .map((index) => {
        const value = new Decimal(step).times(index < resetAt ? index + 100 - from : index - resetAt + 1);
        const rise =
          last === undefined ? (isSeenBefore ? new Decimal(0) : value) : value.gte(last) ? value.minus(last) : value;
        seen.set(tenant, (seen.get(tenant) ?? new Decimal(0)).plus(rise));
        last = value;
        return [at(index), value.toString()] as const;
      });
    return { name: 'used_seconds_total', labels: { ...JOB, instance, tenant }, samples };
  };
  const up = (instance: string): History => ({
    name: 'up',
    labels: { ...JOB, instance },
    samples: scrapes.map((index) => [at(index), '1'] as const),
  });
  const gpus: History = {
    name: 'gpus',
    labels: { ...JOB, instance: 'one:1', tenant: 'a' },
    samples: scrapes.map((index) => [at(index), String(index % 5)] as const),
  };
  const history = [
    series('one:1', 'a', '0.1', 0, 24, true),
    series('two:1', 'a', '0.7', 0, 1000, true),
    series('two:1', 'b', '3', 16, 1000, false),
    up('one:1'),
    up('two:1'),
    gpus,
  ];
  return {
    startMs,
    endMs,
    history,
    seen: Object.fromEntries([...seen].map(([tenant, sum]) => [tenant, sum.toFixed()])),
  };
}
