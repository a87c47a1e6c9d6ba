import type { SourceContext, Span } from '../core/source.ts';
import { createAsking, createCoverage } from './asking.ts';
import { createClient } from './client.ts';
import { collectMetric } from './collect-metric.ts';
import { createCounterMetric } from './counter-metric.ts';
import type { Held } from './held.ts';
import { withOwnCursor } from './own-cursor.ts';
import { createQueryMetric } from './query-metric.ts';
import type { Settings } from './settings.ts';
import { createSourceTime } from './source-time.ts';
import { createWindows, type Progress } from './windows.ts';

/** All queries and counters of a configuration, each on its own, until the signal, or with `once` until each is up to date. */
export async function collectPrometheus(settings: Settings, context: SourceContext): Promise<void> {
  await collectAll(settings, context, undefined);
}

/**
 * The windows that begin in a span, once more; counters begin there as new ones do.
 * @throws Error that names what could not be read
 */
export async function backfillPrometheus(settings: Settings, context: SourceContext, span: Span): Promise<void> {
  // Whatever is kept there is asked for, and nothing is waited for: what is not there by now has not come late.
  const past = { ...settings, startMs: span.fromMs, maxAgeMs: context.clock.epochMs(), waitForSamplesMs: 0 };
  const unread = await collectAll(past, { ...withOwnCursor(context), once: true, report() {} }, span.toMs);
  const reasons = unread.map(([name, { reason }]) => `${name}: ${reason}`);
  if (reasons.length > 0) throw new Error(`not all could be read: ${reasons.join('; ')}`);
}

/** @returns what could not be read to its end, and why */
async function collectAll(
  settings: Settings,
  context: SourceContext,
  untilMs: number | undefined,
): Promise<readonly (readonly [string, Held])[]> {
  const { clock, name, rareLog, signal, report, cursor } = context;
  const client = createClient(settings, clock);
  const time = createSourceTime(clock);
  const windows = createWindows(settings);
  const settleMs = Math.max(settings.queryOffsetMs, settings.delayMs);
  const { onWarnings, waitForSamplesMs } = settings;
  const asking = createAsking({ client, time, settleMs, onWarnings, name, rareLog, signal, report });
  const coverage = createCoverage(settings.coverage);
  const own = { queryOffsetMs: settings.queryOffsetMs, cursor, collector: name, rareLog, report };
  const metrics = [
    ...settings.queries.map((query) => createQueryMetric(query, settings)),
    ...settings.counters.map((counter) => createCounterMetric(counter, own)),
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

  const surroundings = { context, windows, time, asking, coverage, waitForSamplesMs, onProgress, untilMs };
  try {
    const ends = await Promise.all(
      metrics.map(async (metric) => [metric.name, await collectMetric(metric, surroundings)] as const),
    );
    return ends.flatMap(([metric, held]) => (held === undefined ? [] : [[metric, held] as const]));
  } finally {
    await client.close();
  }
}
