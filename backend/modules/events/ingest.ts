import type { Clock } from '../../platform/clock.ts';
import { type InvalidParameter, RequestProblem } from '../../platform/errors.ts';
import { invalidParameters, REPORT, summarize } from '../../platform/http/validation.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { AppendResult, NewEvent, UsageStore } from '../../usage-store/index.ts';
import type { DeliveryHeaders } from './gateway-delivery.ts';
import { type IngestReport, type MeteringEvent, meteringEventSchema } from './schema.ts';

/** What a request brings: its events and what its sender says about itself. */
export interface IngestRequest {
  /** Decoded JSON, one entry an event. */
  events: readonly unknown[];
  /** Whether fields are named with the event's index ("0.subject"). */
  isBatch: boolean;
  delivery?: DeliveryHeaders | undefined;
}

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
 * @throws RequestProblem 400 that names the fields
 */
export async function ingestAllOrNone(
  usage: UsageStore,
  clock: Clock,
  { events, isBatch, delivery }: IngestRequest,
): Promise<AppendResult> {
  const receivedAtMs = clock.nowMs();
  const { accepted, rejected } = check(events, isBatch, receivedAtMs, MAX_EXPLAINED);
  if (rejected.length > 0) {
    const parameters = rejected.flatMap((rejection) => rejection.invalidParameters);
    throw new RequestProblem('bad-request', summarize(parameters), parameters);
  }
  return append(usage, accepted, delivery, 0);
}

/** Stores the good events of a request and tells which ones were refused (RFC 7240, `Prefer: handling=lenient`). */
export async function ingestLeniently(
  usage: UsageStore,
  clock: Clock,
  { events, delivery }: IngestRequest,
): Promise<IngestReport> {
  const { accepted, rejected } = check(events, false, clock.nowMs(), Number.POSITIVE_INFINITY);
  const result = await append(usage, accepted, delivery, rejected.length);
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

async function append(
  usage: UsageStore,
  accepted: readonly NewEvent[],
  delivery: DeliveryHeaders | undefined,
  rejected: number,
): Promise<AppendResult> {
  // A sender may report about itself without an event.
  if (accepted.length === 0 && delivery === undefined) return { stored: 0, duplicates: 0 };
  return usage.append(accepted, delivery && { ...delivery, received: accepted.length + rejected, rejected });
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
