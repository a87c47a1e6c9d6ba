import type { PluginConfig } from '../metering-and-billing/config.ts';
import { type UsageEvent, usageOf } from '../metering-and-billing/usage-events.ts';
import type { LoggedEntry } from './log-entries.ts';
import type { Refusal, Sink } from './sinks.ts';

/** Which requests of a log are replayed. A gateway's log has all of them, the plugin may meter one service. */
export interface ReplayFilter {
  /** Name or id. */
  service?: string | undefined;
  route?: string | undefined;
}

/** What came of a replay. */
export interface ReplayReport {
  entries: number;
  /** Entries of other services and routes. */
  skipped: number;
  events: number;
  /** Events that could not be made, by reason, as the plugin counts them. */
  dropped: Record<string, number>;
  refused: Refusal[];
  /** Places of the first entries that could not be read. */
  unreadable: string[];
}

/** Batches of the size that the backend takes in one go without noticing. */
const BATCH_SIZE = 500;
const MAX_PLACES = 20;

/**
 * Makes of each logged request the very events that the plugin makes of it, with the same ids: what was delivered
 * before counts as a duplicate, and nothing is billed twice.
 */
export async function replay(
  entries: AsyncIterable<LoggedEntry>,
  config: PluginConfig,
  filter: ReplayFilter,
  sink: Sink,
): Promise<ReplayReport> {
  const report: ReplayReport = { entries: 0, skipped: 0, events: 0, dropped: {}, refused: [], unreadable: [] };
  let batch: UsageEvent[] = [];
  const flush = async () => {
    report.refused.push(...(await sink.write(batch)));
    batch = [];
  };
  for await (const { json, place } of entries) {
    report.entries++;
    if (!isWanted(json, filter)) {
      report.skipped++;
      continue;
    }
    const { events, drops } = usageOf(config.metering, json);
    for (const { reason, count } of drops) {
      report.dropped[reason] = (report.dropped[reason] ?? 0) + count;
      if (reason === 'unreadable_log_entry' && report.unreadable.length < MAX_PLACES) report.unreadable.push(place);
    }
    report.events += events.length;
    batch.push(...events);
    if (batch.length >= BATCH_SIZE) await flush();
  }
  if (batch.length > 0) await flush();
  return report;
}

function isWanted(json: string, { service, route }: ReplayFilter): boolean {
  if (service === undefined && route === undefined) return true;
  let entry: { service?: { id?: unknown; name?: unknown }; route?: { id?: unknown; name?: unknown } } | null;
  try {
    entry = JSON.parse(json) as typeof entry;
  } catch {
    // Not ours to judge: it is counted as unreadable.
    return true;
  }
  const matches = (wanted: string | undefined, entity: { id?: unknown; name?: unknown } | undefined) =>
    wanted === undefined || entity?.name === wanted || entity?.id === wanted;
  return matches(service, entry?.service) && matches(route, entry?.route);
}
