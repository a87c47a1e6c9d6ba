import { RequestProblem } from '../../platform/errors.ts';
import { fromStoredInstant, parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { GatewayProcess, UsageStore } from '../usage-store/index.ts';
import { type SourceReportRow, sourceReportsRepository } from './repository.ts';
import type { SaidOfSource, SourceReport } from './schema.ts';

/** A process of the ledger, with what it is and what it said of itself. */
export interface Source {
  process: GatewayProcess;
  kind: string;
  report: SaidOfSource | undefined;
}

/** How a collector's name begins in the ledger. */
const COLLECTOR = 'collector:';
/** Reports come once a minute: who has been silent for so long has another token now, or is gone. */
const TAKEOVER_MS = 10 * 60_000;
const OTHERS = 'Another token reports this source. After ten minutes without a report it can be taken over.';
/** Of what has been silent for so long nobody asks how far it had read; the ledger keeps what it delivered. */
const KEPT_MS = 90 * 86_400_000;
/** With each report: more than come to an end, and never a long statement. */
const FORGOTTEN_AT_ONCE = 10;

export type Sources = ReturnType<typeof createSources>;

/** Everyone who numbers what they deliver: gateways, and collectors with what they say of their sources. */
export function createSources(scope: Scope, usage: UsageStore) {
  const { clock } = scope;
  const reports = sourceReportsRepository(scope);
  return {
    async list(page: Parameters<UsageStore['gatewayProcesses']>[0]): Promise<{ sources: Source[]; total: number }> {
      const { processes, total } = await usage.gatewayProcesses(page);
      const rows = await reports.ofProcesses(processes);
      const reported = new Map(rows.map((row) => [nameOf(row), row]));
      const sources = processes.map((process): Source => {
        const row = reported.get(nameOf(process));
        const unreported = process.node.startsWith(COLLECTOR) ? 'collector' : 'gateway';
        return { process, kind: row?.kind ?? unreported, report: row && saidIn(row, clock.nowMs()) };
      });
      return { sources, total };
    },
    /**
     * A collector that has delivered nothing yet has a place in the ledger by this.
     * @throws RequestProblem 409 while another token reports the same
     */
    async take({ node, process, taken, error, ...report }: SourceReport, tokenId: string): Promise<void> {
      const nowMs = clock.nowMs();
      const row = {
        node,
        process,
        kind: report.kind,
        version: report.version,
        reported_at: toStoredInstant(nowMs),
        lag_seconds: report.lag_seconds ?? null,
        waiting: report.waiting,
        open: report.open ?? null,
        error: error?.message ?? null,
        error_at: error === undefined ? null : toStoredInstant(error.at),
        token_id: tokenId,
      };
      const isKept = await reports.put(row, toStoredInstant(nowMs - TAKEOVER_MS));
      if (!isKept) throw new RequestProblem('resource-conflict', OTHERS);
      await reports.forget(toStoredInstant(nowMs - KEPT_MS), FORGOTTEN_AT_ONCE);
      await usage.append([], { node, process, ranges: [], received: 0, rejected: 0, taken });
    },
    requests: usage.gatewayRequests.bind(usage),
  };
}

/** Neither of the two names has a blank. */
function nameOf({ node, process }: { node: string; process: string }): string {
  return `${node} ${process}`;
}

function saidIn(row: SourceReportRow, nowMs: number): SaidOfSource {
  const reportedAtMs = parseInstant(row.reported_at) ?? nowMs;
  // Of one that says nothing any more nobody knows that it has read on.
  const silentSeconds = Math.max(0, Math.round((nowMs - reportedAtMs) / 1000));
  return {
    version: row.version,
    reported_at: fromStoredInstant(row.reported_at),
    waiting: row.waiting,
    ...(row.lag_seconds !== null && {
      lag_seconds: Math.min(row.lag_seconds + silentSeconds, Number.MAX_SAFE_INTEGER),
    }),
    ...(row.open !== null && { open: row.open }),
    ...(row.error !== null &&
      row.error_at !== null && { error: { message: row.error, at: fromStoredInstant(row.error_at) } }),
  };
}
