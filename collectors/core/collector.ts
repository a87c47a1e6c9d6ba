import type { Clock } from '../../delivery/clock.ts';
import type { Log } from '../../delivery/log.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { createTransport, type Transport } from '../../delivery/transport.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { createIntake, type Intake } from './intake.ts';
import { type Source, type SourceContext, type SourceReport, type Span, Stopped } from './source.ts';
import { createSourceReporter, reportsUrlOf, type SourceReporter } from './source-reporter.ts';
import type { Spool, SpoolPart } from './spool.ts';
import { createSpoolSender, type SpoolSender } from './spool-sender.ts';

/** Where events go. */
export interface OutputSettings {
  readonly url: URL;
  /** undefined = the endpoint asks for none. */
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly sslVerify: boolean;
  readonly maxInFlight: number;
  readonly batching: { readonly count: number; readonly periodMs: number };
}

/** One collector: a source, its mapping, and where its events go. */
export interface CollectorSettings {
  /** Part of every id: it must never change. */
  readonly name: string;
  /** Of the source, for the backend's ledger. */
  readonly kind: string;
  readonly source: Source;
  readonly mapping: Mapping;
  readonly output: OutputSettings;
}

export interface CollectorSurroundings {
  readonly spool: Spool;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly rareLog: RareLog;
  readonly once: boolean;
  /** Of this program. */
  readonly version: string;
  /** Given: only this part of the past is read, once more. */
  readonly span?: Span | undefined;
  /** Aborted when sources are to end. */
  readonly signal: AbortSignal;
}

/** What the source last said of itself. */
export interface SourceState {
  readonly isReached: boolean;
  readonly upToMs: number | undefined;
  readonly open: number | undefined;
  /** Counts by reason. */
  readonly incomplete: Readonly<Record<string, number>>;
}

export interface RunningCollector {
  readonly name: string;
  readonly part: SpoolPart;
  readonly intake: Intake;
  readonly sender: SpoolSender;
  readonly state: SourceState;
  /** Resolves when the source has ended. Rejects when it could not go on. */
  readonly ended: Promise<void>;
  /** Resolves when the backend has been told for the last time, after the signal. */
  readonly reported: Promise<void>;
}

/** A report is small and of the moment: one that is late is worth nothing. */
const REPORT_TIMEOUT_MS = 2000;
const KEEPALIVE_MS = 60_000;
const USER_AGENT = 'kong-metering-collector';

export function startCollector(settings: CollectorSettings, surroundings: CollectorSurroundings): RunningCollector {
  const { name, output, mapping } = settings;
  const { clock, signal, once } = surroundings;
  const part = surroundings.spool.part(name);
  const { state, report } = createState();
  const reporter = reporterOf(settings, surroundings, part, state);
  const rareLog = reporter?.watch(surroundings.rareLog) ?? surroundings.rareLog;
  const intake = createIntake({ name, mapping, part, clock, rareLog, signal });
  const { token } = output;
  const sender = createSpoolSender({
    ...surroundings,
    rareLog,
    part,
    node: nodeOf(name),
    endpoint: output.url.origin,
    transport: transportTo(output.url, output, clock),
    batching: output.batching,
    maxInFlight: output.maxInFlight,
    scrub: (text) => (token === undefined ? text : text.replaceAll(token, '[token]')),
  });
  const { take, tryTake } = intake;
  const context: SourceContext = { name, clock, signal, once, rareLog, cursor: part.cursor, take, tryTake, report };
  sender.start();
  return {
    name,
    part,
    intake,
    sender,
    state,
    ended: run(settings.source, context, surroundings.span),
    reported: reporter?.run() ?? Promise.resolve(),
  };
}

function transportTo(url: URL, output: OutputSettings, clock: Clock): Transport {
  const { maxInFlight: connections } = output;
  return createTransport({ ...output, keepaliveMs: KEEPALIVE_MS, connections, userAgent: USER_AGENT }, url, clock);
}

/** undefined = the endpoint is none that takes reports. */
function reporterOf(
  { name, kind, output }: CollectorSettings,
  { version, clock, signal }: CollectorSurroundings,
  part: SpoolPart,
  state: SourceState,
): SourceReporter | undefined {
  const url = reportsUrlOf(output.url);
  if (url === undefined) return undefined;
  const settings = { ...output, maxInFlight: 1, timeoutMs: Math.min(output.timeoutMs, REPORT_TIMEOUT_MS) };
  const transport = transportTo(url, settings, clock);
  return createSourceReporter({ part, node: nodeOf(name), kind, version, transport, clock, signal, state });
}

/** What the ledger of sources in the backend calls a collector. */
function nodeOf(name: string): string {
  return `collector:${name}`;
}

async function run(source: Source, context: SourceContext, span: Span | undefined): Promise<void> {
  try {
    if (span === undefined) await source.run(context);
    else if (source.backfill !== undefined) await source.backfill(context, span);
    else throw new Error(`${context.name}: its source cannot be asked for the past`);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
}

function createState(): { readonly state: SourceState; report(report: SourceReport): void } {
  const incomplete: Record<string, number> = {};
  const state = {
    isReached: false,
    upToMs: undefined as number | undefined,
    open: undefined as number | undefined,
    incomplete,
  };
  return {
    state,
    report({ isReached, upToMs, open, incomplete: reason }) {
      if (isReached !== undefined) state.isReached = isReached;
      if (upToMs !== undefined) state.upToMs = upToMs;
      if (open !== undefined) state.open = open;
      if (reason !== undefined) incomplete[reason] = (incomplete[reason] ?? 0) + 1;
    },
  };
}
