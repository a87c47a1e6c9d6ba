import type { Clock } from '../../platform/clock.ts';
import { type InvalidParameter, RequestProblem } from '../../platform/errors.ts';
import { invalidParameters, REPORT, summarize } from '../../platform/http/validation.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { NewEvent, UsageStore } from '../../usage-store/index.ts';
import { type IngestReport, type MeteringEvent, meteringEventSchema } from './schema.ts';

/** One event of a request that may not be stored. */
interface Rejection {
  index: number;
  event: unknown;
  invalidParameters: InvalidParameter[];
}

// Enough to see a pattern; a batch of 100,000 bad events must not cost as many explanations.
const MAX_EXPLAINED = 100;

/**
 * Stores the events of a request, all or none: one bad event refuses the batch.
 * @param events decoded JSON, one entry an event
 * @param isBatch whether fields are named with the event's index ("0.subject")
 * @throws RequestProblem 400 that names the fields
 */
export async function ingestAllOrNone(
  usage: UsageStore,
  clock: Clock,
  events: readonly unknown[],
  isBatch: boolean,
): Promise<void> {
  const receivedAtMs = clock.nowMs();
  const { accepted, rejected } = check(events, isBatch, receivedAtMs, MAX_EXPLAINED);
  if (rejected.length > 0) {
    const parameters = rejected.flatMap((rejection) => rejection.invalidParameters);
    throw new RequestProblem('bad-request', summarize(parameters), parameters);
  }
  if (accepted.length > 0) await usage.append(accepted);
}

/** Stores the good events of a request and tells which ones were refused (RFC 7240, `Prefer: handling=lenient`). */
export async function ingestLeniently(
  usage: UsageStore,
  clock: Clock,
  events: readonly unknown[],
): Promise<IngestReport> {
  const { accepted, rejected } = check(events, false, clock.nowMs(), Number.POSITIVE_INFINITY);
  const result = accepted.length > 0 ? await usage.append(accepted) : { stored: 0, duplicates: 0 };
  return {
    received: events.length,
    ...result,
    rejected: rejected.map(({ index, event, invalidParameters }) => ({
      index,
      ...identity(event),
      invalid_parameters: invalidParameters.map((parameter) => ({ ...parameter })),
    })),
  };
}

function check(events: readonly unknown[], isBatch: boolean, receivedAtMs: number, maxRejected: number) {
  const accepted: NewEvent[] = [];
  const rejected: Rejection[] = [];
  for (const [index, event] of events.entries()) {
    const result = meteringEventSchema.safeParse(event, REPORT);
    if (result.success) {
      accepted.push(toNewEvent(result.data, receivedAtMs));
      continue;
    }
    const prefix = isBatch ? [index] : [];
    rejected.push({ index, event, invalidParameters: invalidParameters(result.error, 'body', prefix) });
    if (rejected.length >= maxRejected) break;
  }
  return { accepted, rejected };
}

function toNewEvent(event: MeteringEvent, receivedAtMs: number): NewEvent {
  const timeMs = typeof event.time === 'string' ? parseInstant(event.time) : undefined;
  return {
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject,
    timeMs: timeMs ?? receivedAtMs,
    data: event.data === null || event.data === undefined ? undefined : JSON.stringify(event.data),
    ingestedAtMs: receivedAtMs,
  };
}

function identity(event: unknown): { id?: string; source?: string } {
  if (typeof event !== 'object' || event === null) return {};
  const { id, source } = event as { id?: unknown; source?: unknown };
  return { ...(typeof id === 'string' && { id }), ...(typeof source === 'string' && { source }) };
}
