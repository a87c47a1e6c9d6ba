import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { type RequestsRow, toRequests } from '../stored-rows.ts';
import type { GatewayRequests, GatewayRequestsReport } from '../types.ts';

/** Writes what a gateway says it has served; an older report than the last one changes nothing. */
export function prepareRecordRequests(
  db: Sqlite,
): (node: string, report: GatewayRequestsReport, nowMs: number) => void {
  const upsert = db.prepare(`
    INSERT INTO gateway_requests VALUES (@node, @account, @revision, @nowMs, @nowMs, @served, @metered, @notMetered, @unexplained)
    ON CONFLICT (node, account) DO UPDATE SET
      revision = excluded.revision,
      last_seen_ms = max(last_seen_ms, excluded.last_seen_ms),
      served = excluded.served,
      metered = excluded.metered,
      not_metered = excluded.not_metered,
      unexplained = excluded.unexplained
    WHERE excluded.revision >= revision`);
  return (node, report, nowMs) => {
    const { account, revision, served, metered, unexplained } = report;
    upsert.run({
      node,
      account,
      revision,
      nowMs,
      served,
      metered,
      notMetered: JSON.stringify(report.notMetered),
      unexplained,
    });
  };
}

/** One page, the account that was told of last first. */
export function listRequests(
  db: Sqlite,
  { offset, limit, node }: { offset: number; limit: number; node?: string },
): { accounts: GatewayRequests[]; total: number } {
  const where = node === undefined ? '' : 'WHERE node = ?';
  const params = node === undefined ? [] : [node];
  const total = db
    .prepare(`SELECT count(*) FROM gateway_requests ${where}`)
    .pluck()
    .get(...params) as number;
  const rows = db
    .prepare(`SELECT * FROM gateway_requests ${where} ORDER BY last_seen_ms DESC, node, account LIMIT ? OFFSET ?`)
    .all(...params, limit, offset) as RequestsRow[];
  return { accounts: rows.map(toRequests), total };
}
