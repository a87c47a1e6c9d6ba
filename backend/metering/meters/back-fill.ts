import type { UsageStore } from '../usage-store/index.ts';
import { toMeterSpec } from './definition.ts';
import type { BackFill, Meter } from './schema.ts';

/** How far the counting of the events is that were stored before the meter, or before its dimensions were changed. */
export async function backFillOf(usage: UsageStore, meter: Meter): Promise<BackFill> {
  const progress = meter.deleted_at === undefined ? await usage.seriesProgress(toMeterSpec(meter)) : undefined;
  if (progress === undefined) return { state: 'none', events_looked_at: 0, events_total: 0, wide_dimensions: [] };
  return {
    state: progress.isFinished ? 'finished' : 'running',
    events_looked_at: progress.lookedAt,
    events_total: progress.total,
    wide_dimensions: [...progress.wideDimensions],
  };
}
