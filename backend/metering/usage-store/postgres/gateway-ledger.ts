import { mostDropped } from '../gateway-numbers.ts';
import { type ProcessRow, type RequestsRow, toProcess, toRequests } from '../stored-rows.ts';
import type {
  AppendResult,
  GatewayDelivery,
  GatewayProcess,
  GatewayRequests,
  GatewayRequestsReport,
  NumberRange,
} from '../types.ts';
import type { PgClient } from './database.ts';

/** Writes what a delivery says about itself; to be called at the end of the transaction that stores its events. */
export async function recordDelivery(
  client: PgClient,
  delivery: GatewayDelivery,
  { stored, duplicates }: AppendResult,
  nowMs: number,
): Promise<void> {
  const { node, process, ranges, received, rejected, taken = null, dropped, requests } = delivery;
  // The row first: whoever tells of the same process waits here until this is committed.
  const { rows } = await client.query<{ dropped: string | null }>(
    `INSERT INTO gateway_processes VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, NULL)
     ON CONFLICT (node, process) DO UPDATE SET
       last_seen_ms = greatest(gateway_processes.last_seen_ms, excluded.last_seen_ms),
       received = gateway_processes.received + excluded.received,
       stored = gateway_processes.stored + excluded.stored,
       duplicates = gateway_processes.duplicates + excluded.duplicates,
       rejected = gateway_processes.rejected + excluded.rejected,
       -- Deliveries overtake each other: what a process counts never falls.
       taken = greatest(gateway_processes.taken, excluded.taken)
     RETURNING dropped`,
    [node, process, nowMs, received, stored, duplicates, rejected, taken],
  );
  if (dropped !== undefined) {
    await client.query('UPDATE gateway_processes SET dropped = $3 WHERE node = $1 AND process = $2', [
      node,
      process,
      mostDropped(dropped, rows[0]?.dropped),
    ]);
  }
  if (requests !== undefined) await recordRequests(client, node, requests, nowMs);
  for (const { first, last } of ranges) {
    // Ranges that overlap or touch become one.
    await client.query(
      `WITH touching AS (
         DELETE FROM gateway_ranges WHERE node = $1 AND process = $2 AND first <= $4::bigint + 1 AND last >= $3::bigint - 1
         RETURNING first, last)
       INSERT INTO gateway_ranges
         SELECT $1, $2, least($3::bigint, min(first)), greatest($4::bigint, max(last)) FROM touching`,
      [node, process, first, last],
    );
  }
}

async function recordRequests(
  client: PgClient,
  node: string,
  { account, revision, served, metered, notMetered, unexplained }: GatewayRequestsReport,
  nowMs: number,
): Promise<void> {
  await client.query(
    `INSERT INTO gateway_requests VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8)
     ON CONFLICT (node, account) DO UPDATE SET
       revision = excluded.revision,
       last_seen_ms = greatest(gateway_requests.last_seen_ms, excluded.last_seen_ms),
       served = excluded.served,
       metered = excluded.metered,
       not_metered = excluded.not_metered,
       unexplained = excluded.unexplained
     WHERE excluded.revision >= gateway_requests.revision`,
    [node, account, revision, nowMs, served, metered, JSON.stringify(notMetered), unexplained],
  );
}

interface Page {
  offset: number;
  limit: number;
  node?: string;
}

/** One page of the ledger, the process seen last first. */
export async function listProcesses(
  client: PgClient,
  { offset, limit, node }: Page,
): Promise<{ processes: GatewayProcess[]; total: number }> {
  const { rows } = await client.query<ProcessRow>(
    `SELECT * FROM gateway_processes WHERE $1::text IS NULL OR node = $1
     ORDER BY last_seen_ms DESC, node, process LIMIT $2 OFFSET $3`,
    [node ?? null, limit, offset],
  );
  const total = await count(client, 'gateway_processes', node ?? null);
  const processes: GatewayProcess[] = [];
  for (const row of rows) {
    const ranges = await client.query<NumberRange>(
      'SELECT first, last FROM gateway_ranges WHERE node = $1 AND process = $2 ORDER BY first',
      [row.node, row.process],
    );
    processes.push(toProcess(row, ranges.rows));
  }
  return { processes, total };
}

async function count(client: PgClient, table: string, node: string | null): Promise<number> {
  const { rows } = await client.query<{ total: number }>(
    `SELECT count(*) AS total FROM ${table} WHERE $1::text IS NULL OR node = $1`,
    [node],
  );
  return rows[0]?.total ?? 0;
}

/** One page, the account that was told of last first. */
export async function listRequests(
  client: PgClient,
  { offset, limit, node }: Page,
): Promise<{ accounts: GatewayRequests[]; total: number }> {
  const { rows } = await client.query<RequestsRow>(
    `SELECT * FROM gateway_requests WHERE $1::text IS NULL OR node = $1
     ORDER BY last_seen_ms DESC, node, account LIMIT $2 OFFSET $3`,
    [node ?? null, limit, offset],
  );
  return { accounts: rows.map(toRequests), total: await count(client, 'gateway_requests', node ?? null) };
}
