import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { mostDropped } from '../gateway-numbers.ts';
import { type ProcessRow, toProcess } from '../stored-rows.ts';
import type { AppendResult, GatewayDelivery, GatewayProcess, NumberRange } from '../types.ts';
import { prepareRecordRequests } from './gateway-requests.ts';

/** Writes what a delivery says about itself; to be called inside the transaction that stores its events. */
export type RecordDelivery = (delivery: GatewayDelivery, result: AppendResult, nowMs: number) => void;

export function prepareRecordDelivery(db: Sqlite): RecordDelivery {
  const upsert = db.prepare(`
    INSERT INTO gateway_processes VALUES (@node, @process, @nowMs, @nowMs, @received, @stored, @duplicates, @rejected,
      @taken, @dropped)
    ON CONFLICT (node, process) DO UPDATE SET
      last_seen_ms = max(last_seen_ms, excluded.last_seen_ms),
      received = received + excluded.received,
      stored = stored + excluded.stored,
      duplicates = duplicates + excluded.duplicates,
      rejected = rejected + excluded.rejected,
      dropped = coalesce(excluded.dropped, dropped),
      -- Deliveries overtake each other: what a process counts never falls.
      taken = max(coalesce(taken, 0), coalesce(excluded.taken, 0))`);
  const recordRequests = prepareRecordRequests(db);
  const known = db.prepare('SELECT dropped FROM gateway_processes WHERE node = ? AND process = ?').pluck();
  const touching = db.prepare(
    'SELECT first, last FROM gateway_ranges WHERE node = ? AND process = ? AND first <= ? AND last >= ?',
  );
  const remove = db.prepare('DELETE FROM gateway_ranges WHERE node = ? AND process = ? AND first = ?');
  const insert = db.prepare('INSERT INTO gateway_ranges VALUES (?, ?, ?, ?)');
  return (delivery, { stored, duplicates }, nowMs) => {
    const { node, process, ranges, received, rejected, taken, dropped, requests } = delivery;
    upsert.run({
      node,
      process,
      nowMs,
      received,
      stored,
      duplicates,
      rejected,
      taken: taken ?? null,
      dropped: dropped === undefined ? null : mostDropped(dropped, known.get(node, process)),
    });
    if (requests !== undefined) recordRequests(node, requests, nowMs);
    for (const range of ranges) {
      // Ranges that overlap or touch become one.
      const merged = touching.all(node, process, range.last + 1, range.first - 1) as NumberRange[];
      for (const { first } of merged) remove.run(node, process, first);
      const first = Math.min(range.first, ...merged.map((other) => other.first));
      const last = Math.max(range.last, ...merged.map((other) => other.last));
      insert.run(node, process, first, last);
    }
  };
}

/** One page of the ledger, the process seen last first. */
export function listProcesses(
  db: Sqlite,
  page: { offset: number; limit: number; node?: string },
): { processes: GatewayProcess[]; total: number } {
  const where = page.node === undefined ? '' : 'WHERE node = ?';
  const params = page.node === undefined ? [] : [page.node];
  const total = db
    .prepare(`SELECT count(*) FROM gateway_processes ${where}`)
    .pluck()
    .get(...params) as number;
  const rows = db
    .prepare(`SELECT * FROM gateway_processes ${where} ORDER BY last_seen_ms DESC, node, process LIMIT ? OFFSET ?`)
    .all(...params, page.limit, page.offset) as ProcessRow[];
  const ranges = db.prepare('SELECT first, last FROM gateway_ranges WHERE node = ? AND process = ? ORDER BY first');
  const processes = rows.map((row) => toProcess(row, ranges.all(row.node, row.process) as NumberRange[]));
  return { processes, total };
}
