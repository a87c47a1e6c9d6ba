/** Exactly the events behind a line. */

import { type CountedEvent, type LateEvent, parseData, type UsageScope } from '../../metering/usage-store/index.ts';
import { invalidParameter } from '../../platform/errors.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { lineRepository, usageBehind } from '../invoice-records/index.ts';
import type { TraceDeps } from './deps.ts';
import type { TracedEvent } from './schema.ts';
import type { Traced } from './subject.ts';

export interface TracedEventPage {
  data: TracedEvent[];
  meta: { page: { size: number; next: string | null; previous: null } };
}

/** One page of the events that make up what is traced; none where it is not metered. */
export async function eventsOf(
  deps: TraceDeps,
  scope: Scope,
  traced: Traced,
  page: CursorRequest,
): Promise<TracedEventPage> {
  const usage = await usageBehind(deps, scope, traced);
  if (usage === undefined) return pageOf([], page.size, undefined);
  const { adjustment } = traced;
  if (adjustment?.sinceSnapshot !== undefined) {
    return latePage(deps, { ...usage, fromMs: adjustment.period.fromMs, toMs: adjustment.period.toMs }, page, {
      since: adjustment.sinceSnapshot,
      prefix: 'late',
    });
  }
  const cursor = readCursor(page.after);
  if (cursor?.kind !== 'late') {
    const after = cursor && { atMs: cursor.atMs, rowId: cursor.rowId };
    const { events, next } = await deps.tracing.eventsBehind(usage, { size: page.size, after }, traced.moment);
    if (next !== undefined) return pageOf(events.map(toBody), page.size, `counted,${next.atMs},${next.rowId}`);
    const since = await snapshotOfPartBefore(scope, traced);
    return pageOf(events.map(toBody), page.size, since === undefined ? undefined : 'late,0');
  }
  // What arrived in earlier parts of the period after these were billed stands on this part.
  const since = await snapshotOfPartBefore(scope, traced);
  if (since === undefined) return pageOf([], page.size, undefined);
  const earlier = { ...usage, fromMs: traced.line?.fullServicePeriod.fromMs, toMs: traced.period.fromMs };
  return latePage(deps, earlier, page, { since, prefix: 'late' });
}

async function snapshotOfPartBefore(scope: Scope, { line }: Traced): Promise<string | undefined> {
  if (line?.chargeId === undefined || line.splitPosition === 'single' || line.splitPosition === 'first')
    return undefined;
  const lines = await lineRepository(scope).ofCharge(line.chargeId);
  const before = lines.filter(
    (other) => other.kind === 'charge' && other.servicePeriod.toMs <= line.servicePeriod.fromMs,
  );
  return before.at(-1)?.snapshot;
}

async function latePage(
  deps: TraceDeps,
  usage: UsageScope,
  page: CursorRequest,
  { since, prefix }: { since: string; prefix: string },
): Promise<TracedEventPage> {
  const cursor = readCursor(page.after);
  const afterRow = cursor?.kind === 'late' && cursor.rowId > 0 ? cursor.rowId : undefined;
  const { events, nextRow } = await deps.tracing.lateEvents(usage, { snapshot: since }, { size: page.size, afterRow });
  return pageOf(events.map(toLateBody), page.size, nextRow === undefined ? undefined : `${prefix},${nextRow}`);
}

function pageOf(data: TracedEvent[], size: number, next: string | undefined): TracedEventPage {
  return {
    data,
    meta: { page: { size, next: next === undefined ? null : Buffer.from(next).toString('base64url'), previous: null } },
  };
}

type Cursor = { kind: 'counted'; atMs: number; rowId: number } | { kind: 'late'; rowId: number };

function readCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:counted,(-?\d{1,15}),(\d{1,15})|late,(\d{1,15}))$/.exec(Buffer.from(text, 'base64url').toString());
  if (match === null) {
    const reason = 'is not a cursor of this list';
    throw invalidParameter({ field: 'page[after]', rule: 'invalid', reason, source: 'query' });
  }
  const [, atMs, rowId, lateRow] = match;
  if (lateRow !== undefined) return { kind: 'late', rowId: Number.parseInt(lateRow, 10) };
  return { kind: 'counted', atMs: Number.parseInt(atMs ?? '', 10), rowId: Number.parseInt(rowId ?? '', 10) };
}

function toBody({ event, value }: CountedEvent): TracedEvent {
  const data = parseData(event.data);
  return {
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: formatInstant(event.timeMs),
    stored_at: formatInstant(event.storedAtMs),
    ...(data !== undefined && { data }),
    ...(value !== undefined && { value }),
  };
}

function toLateBody(late: LateEvent): TracedEvent {
  return { ...toBody(late), change: late.change, changed_at: formatInstant(late.changedAtMs) };
}
