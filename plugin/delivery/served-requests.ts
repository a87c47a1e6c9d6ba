import type { Clock } from './clock.ts';
import { createEntryCounts } from './entry-counts.ts';
import { createGatewayStatus } from './gateway-status.ts';
import type { RareLog } from './rare-log.ts';
import type { Served } from './served.ts';
import { codeOf } from './spool/files.ts';

/** Where the gateway tells how many requests it has served. */
export interface GatewayStatusSettings {
  readonly url: URL;
  readonly intervalMs: number;
}

export interface ServedRequestsOptions {
  readonly settings: GatewayStatusSettings;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  /** The log entries that have reached this process so far. */
  readonly entries: () => number;
  /** Told what came on top since it was told last. */
  readonly onServed: (served: Served) => void;
}

/** A connection that the gateway closed at the wrong moment is not worth a line. */
const FAILURES_WORTH_A_LINE = 2;

/**
 * Holds the gateway's own count against the entries, at intervals, without any event having to wait for it. Of all
 * processes of a gateway one does so, for all of them; what each tells may be added up. Never throws.
 * Time between two readings counts only if both were of the same run of the gateway.
 */
export function watchServedRequests(options: ServedRequestsOptions): { close(): void } {
  const { settings, clock, rareLog } = options;
  const status = createGatewayStatus(settings.url, clock);
  let last: Served | undefined;
  let failures = 0;
  let isClosed = false;
  const note = (level: 'info' | 'warn', msg: string, code?: string) =>
    rareLog.note({ key: msg, level, msg, fields: { host: settings.url.host, code } });

  async function read(): Promise<void> {
    const requests = await status.readTotal();
    const entries = await counts.collect();
    // Each reading is a request as well, and not one that is to be billed. A count that has not even grown by that one
    // is of a gateway that has started anew: what was between its end and the reading before, nobody knows.
    if (last !== undefined && requests > last.requests) {
      options.onServed({ requests: requests - last.requests - 1, entries: entries - last.entries });
    }
    last = { requests, entries };
  }

  async function look(): Promise<void> {
    try {
      await read();
      if (failures >= FAILURES_WORTH_A_LINE) note('info', "the gateway's status can be read again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === FAILURES_WORTH_A_LINE && !isClosed) {
        note('warn', "the gateway's status cannot be read", codeOf(error));
      }
    }
    if (!isClosed) clock.setTimer(() => void look(), settings.intervalMs, { background: true });
  }

  const counts = createEntryCounts({
    url: settings.url,
    clock,
    own: options.entries,
    onReader: () => void look(),
    onTrouble: (code) => note('warn', 'the processes of this gateway cannot find one another', code),
  });
  return {
    close() {
      isClosed = true;
      counts.close();
      status.close();
    },
  };
}
