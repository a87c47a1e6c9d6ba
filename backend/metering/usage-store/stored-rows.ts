/** What the engines' tables have in common: rows as the same statements give them, and what they say. */

import type { Correction, CorrectionAction } from './correction-types.ts';
import { gapsBetween, MAX_MISSING_RANGES } from './gateway-numbers.ts';
import type { GatewayProcess, GatewayRequests, NumberRange, StoredEvent } from './types.ts';

/** Of `events` and its correction; names stand in it as texts. */
export interface EventRow {
  row_id: number;
  source: string;
  id: string;
  type: string;
  subject: string;
  time_ms: number;
  data: string | null;
  ingested_at_ms: number;
  stored_at_ms: number;
  correction_id: string | null;
  reason: string;
  made_by: string;
  made_at_ms: number;
}

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    rowId: row.row_id,
    source: row.source,
    id: row.id,
    type: row.type,
    subject: row.subject,
    timeMs: row.time_ms,
    data: row.data ?? undefined,
    ingestedAtMs: row.ingested_at_ms,
    storedAtMs: row.stored_at_ms,
    ...(row.correction_id !== null && {
      voided: {
        correctionId: row.correction_id,
        reason: row.reason,
        madeBy: row.made_by,
        madeAtMs: row.made_at_ms,
      },
    }),
  };
}

/** Of `corrections`. */
export interface CorrectionRow {
  id: string;
  action: CorrectionAction;
  reason: string;
  made_by: string;
  made_at_ms: number;
  note: string;
  events: number;
  expected: number;
  finished_at_ms: number | null;
}

export function toCorrection(row: CorrectionRow): Correction {
  return {
    id: row.id,
    action: row.action,
    reason: row.reason,
    madeBy: row.made_by,
    madeAtMs: row.made_at_ms,
    note: row.note,
    events: row.events,
    expected: row.expected,
    finishedAtMs: row.finished_at_ms ?? undefined,
  };
}

/** Of `gateway_processes`. */
export interface ProcessRow {
  node: string;
  process: string;
  first_seen_ms: number;
  last_seen_ms: number;
  received: number;
  stored: number;
  duplicates: number;
  rejected: number;
  taken: number | null;
  dropped: string | null;
}

/** @param arrived the ranges of numbers that have arrived, in their order */
export function toProcess(row: ProcessRow, arrived: readonly NumberRange[]): GatewayProcess {
  const missing = gapsBetween(arrived);
  return {
    node: row.node,
    process: row.process,
    firstSeenAtMs: row.first_seen_ms,
    lastSeenAtMs: row.last_seen_ms,
    received: row.received,
    stored: row.stored,
    duplicates: row.duplicates,
    rejected: row.rejected,
    taken: row.taken ?? undefined,
    lastNumber: arrived.at(-1)?.last,
    missing: missing.slice(0, MAX_MISSING_RANGES),
    missingCount: missing.reduce((sum, gap) => sum + gap.last - gap.first + 1, 0),
    dropped: row.dropped === null ? {} : (JSON.parse(row.dropped) as Record<string, number>),
  };
}

/** Of `gateway_requests`. */
export interface RequestsRow {
  node: string;
  account: string;
  revision: number;
  first_seen_ms: number;
  last_seen_ms: number;
  served: number;
  metered: number;
  not_metered: string;
  unexplained: number;
}

export function toRequests(row: RequestsRow): GatewayRequests {
  return {
    node: row.node,
    account: row.account,
    revision: row.revision,
    firstSeenAtMs: row.first_seen_ms,
    lastSeenAtMs: row.last_seen_ms,
    served: row.served,
    metered: row.metered,
    notMetered: JSON.parse(row.not_metered) as Record<string, number>,
    unexplained: row.unexplained,
  };
}
