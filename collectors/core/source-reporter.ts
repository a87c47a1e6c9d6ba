import type { Clock } from '../../delivery/clock.ts';
import type { Occurrence, RareLog } from '../../delivery/rare-log.ts';
import type { Transport } from '../../delivery/transport.ts';
import { pause } from './source.ts';
import type { SpoolPart } from './spool.ts';

export interface ReporterOptions {
  readonly part: SpoolPart;
  /** What the backend's ledger calls this collector. */
  readonly node: string;
  /** Of the source. */
  readonly kind: string;
  readonly version: string;
  /** Posts to where reports are taken. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** Aborted when the collector stops. */
  readonly signal: AbortSignal;
  /** What the source last said of itself. */
  readonly state: { readonly upToMs: number | undefined; readonly open: number | undefined };
}

export interface SourceReporter {
  /** Passes on to a log, and remembers the last error for the next report. */
  watch(log: RareLog): RareLog;
  /** Reports until the signal, and once more then. Never rejects. */
  run(): Promise<void>;
}

const PERIOD_MS = 60_000;
/** Soon after the start there is something to say; with an error of the start as well. */
const FIRST_MS = 2000;
/** An endpoint that knows no reports is asked once in a while: it may be replaced by one that does. */
const UNKNOWN_PERIOD_MS = 3_600_000;
const UNKNOWN: ReadonlySet<number> = new Set([400, 404, 405, 501]);
const MAX_MESSAGE_LENGTH = 500;

/**
 * Tells the backend what it cannot see by events: what the source is, how far it is read, and what went wrong, so that a
 * collector that reads nothing is seen as well. A report that is lost does no harm: the next one says all again.
 */
export function createSourceReporter(options: ReporterOptions): SourceReporter {
  const { transport, clock, signal } = options;
  // The last report is made when all else has stopped; the transport's own time bounds it.
  const never = new AbortController().signal;
  let error: { readonly message: string; readonly at: string } | undefined;

  function note({ level, msg, fields }: Occurrence): void {
    if (level !== 'error' && level !== 'warn') return;
    const cause = fields?.['cause'] ?? fields?.['reason'];
    const message = typeof cause === 'string' && cause !== '' ? `${msg}: ${cause}` : msg;
    error = { message: sendable(message), at: new Date(clock.epochMs()).toISOString() };
  }

  return {
    watch: (log) => ({
      note(occurrence) {
        note(occurrence);
        log.note(occurrence);
      },
      flush: log.flush,
    }),
    async run() {
      for (let waitMs = FIRST_MS; !signal.aborted; ) {
        await pause(clock, waitMs, signal);
        const body = Buffer.from(JSON.stringify({ ...standingOf(options), ...(error !== undefined && { error }) }));
        const answer = await transport.post([body], { 'content-type': 'application/json' }, never);
        const isUnknown = answer.kind === 'status' && UNKNOWN.has(answer.status);
        waitMs = isUnknown ? UNKNOWN_PERIOD_MS : PERIOD_MS;
      }
      transport.destroy();
    },
  };
}

/** What sources say may have any character, and a cut may go through one; a report that is refused for it says nothing for an hour. */
function sendable(message: string): string {
  return message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed().replaceAll('\0', '\ufffd');
}

function standingOf({ part, node, kind, version, clock, state }: ReporterOptions) {
  const { taken, events: waiting } = part.counts;
  const { upToMs, open } = state;
  return {
    node,
    process: part.process,
    kind,
    version,
    taken,
    waiting,
    ...(open !== undefined && { open }),
    ...(upToMs !== undefined && { lag_seconds: Math.max(0, Math.round((clock.epochMs() - upToMs) / 1000)) }),
  };
}

/** Where reports go: beside events. undefined = the endpoint has another form, and is no backend of ours. */
export function reportsUrlOf(events: URL): URL | undefined {
  if (!events.pathname.endsWith('/events')) return undefined;
  const url = new URL(events);
  url.pathname = events.pathname.replace(/\/events$/, '/source-reports');
  return url;
}
