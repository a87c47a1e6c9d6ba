import type { SourceContext } from '../core/source.ts';
import { createAsking, createCoverage } from './asking.ts';
import { createClient } from './client.ts';
import { collectMetric } from './collect-metric.ts';
import { createCounterMetric } from './counter-metric.ts';
import { createQueryMetric } from './query-metric.ts';
import type { Settings } from './settings.ts';
import { createSourceTime } from './source-time.ts';
import { createWindows, type Progress } from './windows.ts';

/** All queries and counters of a configuration, each on its own, until the signal, or with `once` until each is up to date. */
export async function collectPrometheus(settings: Settings, context: SourceContext): Promise<void> {
  const { clock, name, rareLog, signal, report, cursor } = context;
  const client = createClient(settings, clock);
  const time = createSourceTime(clock);
  const windows = createWindows(settings);
  const settleMs = Math.max(settings.queryOffsetMs, settings.delayMs);
  const asking = createAsking({
    client,
    time,
    settleMs,
    onWarnings: settings.onWarnings,
    name,
    rareLog,
    signal,
    report,
  });
  const coverage = createCoverage(asking, settings.coverage);
  const metrics = [
    ...settings.queries.map((query) => createQueryMetric(query, settings)),
    ...settings.counters.map((counter) =>
      createCounterMetric(counter, { ...settings, cursor, collector: name, rareLog, report }),
    ),
  ];

  const known = new Map<string, Progress | undefined>(metrics.map((metric) => [metric.name, undefined]));
  function onProgress(metric: string, progress: Progress | undefined): void {
    known.set(metric, progress);
    const nowMs = time.nowMs();
    const open = [...known.values()].reduce((sum, one) => sum + windows.dueCount(one, nowMs), 0);
    const upTo = [...known.values()].map((one) => one?.upToMs);
    const isKnown = upTo.every((ms) => ms !== undefined);
    report({ open, ...(isKnown && { upToMs: Math.min(...upTo) }) });
  }

  const surroundings = {
    context,
    windows,
    time,
    asking,
    coverage,
    waitForSamplesMs: settings.waitForSamplesMs,
    onProgress,
  };
  try {
    await Promise.all(metrics.map((metric) => collectMetric(metric, surroundings)));
  } finally {
    await client.close();
  }
}
