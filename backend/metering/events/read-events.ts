import { type InvalidParameter, RequestProblem } from '../../platform/errors.ts';
import { invalidParameters, MAX_REFUSALS, REPORT, summarize } from '../../platform/http/validation.ts';
import { parseInstant } from '../../platform/instant.ts';
import { isJsonObject, parseJsonBytes } from '../../platform/json.ts';
import type { NewEvent } from '../usage-store/index.ts';
import { EventsRefused, noEventObject, tooManyEvents, tooMuchData, unexpectedBody } from './errors.ts';
import { extensionProblems, type MeteringEvent, meteringEventSchema } from './schema.ts';

/** The bytes of a request and how they are to be read. */
export interface EventBody {
  bytes: Uint8Array;
  /** What its content type promises. */
  form: 'event' | 'batch' | 'either';
  /** With it the good events of a batch are taken, and the others told. */
  isLenient: boolean;
  receivedAtMs: number;
  /** Of an event's data as JSON; one with more is refused. */
  maxDataBytes: number;
  /** Binary mode: the event's attributes, as its headers tell them. The body is its data then. */
  attributes?: Readonly<Record<string, string>> | undefined;
}

/** One event that may not be stored, and why. */
export interface Rejection {
  /** Position in the batch, from 0. */
  index: number;
  id?: string;
  source?: string;
  invalidParameters: InvalidParameter[];
}

/** What a body has brought. */
export interface ReadEvents {
  accepted: NewEvent[];
  /** The first of those that were refused; only with `isLenient`. */
  rejected: Rejection[];
  rejectedCount: number;
}

/** The largest bodies hold as many of the shortest events. */
const MAX_EVENTS = 100_000;

/**
 * Parses and checks the events of a body: a pure function, so that a thread of its own can do it.
 * @throws RequestProblem 400 that names the fields, for a body that is none, or has a bad event and is not lenient
 */
export function readEvents(body: EventBody): ReadEvents {
  const { isBatch, events } = parse(body);
  const prefixOf = (index: number) => (isBatch && !body.isLenient ? [index] : []);
  const accepted: NewEvent[] = [];
  const rejected: Rejection[] = [];
  let rejectedCount = 0;
  let explained = 0;
  for (const [index, event] of events.entries()) {
    // Refused without asking why, once enough is explained: a hundred thousand explanations would be all the work.
    const result = explained < MAX_REFUSALS || !isHopeless(event) ? checked(event, body.maxDataBytes) : undefined;
    if (result?.event !== undefined) {
      accepted.push(toNewEvent(result.event, result.data, body.receivedAtMs));
      continue;
    }
    rejectedCount += 1;
    if (result === undefined || explained >= MAX_REFUSALS) continue;
    const parameters = result.explain(prefixOf(index)).slice(0, MAX_REFUSALS - explained);
    explained += parameters.length;
    rejected.push({ index, ...identity(event), invalidParameters: parameters });
    if (!body.isLenient && explained >= MAX_REFUSALS) break;
  }
  if (rejectedCount > 0 && !body.isLenient) {
    const parameters = rejected.flatMap((rejection) => rejection.invalidParameters);
    throw new EventsRefused(summarize(parameters), parameters, events.length);
  }
  return { accepted, rejected, rejectedCount };
}

function parse({ bytes, form, attributes }: EventBody): { isBatch: boolean; events: readonly unknown[] } {
  if (attributes !== undefined) {
    const data = bytes.length === 0 ? undefined : parsed(bytes);
    return { isBatch: false, events: [data === undefined ? attributes : { ...attributes, data }] };
  }
  const value = parsed(bytes);
  const isBatch = Array.isArray(value);
  if (form === 'event' && isBatch) throw unexpectedBody('must be one event; send a list as a batch');
  if (form === 'batch' && !isBatch) throw unexpectedBody('must be a list of events');
  if (!isBatch && !isJsonObject(value)) throw unexpectedBody('must be an event or a list of events');
  return { isBatch, events: isBatch ? value : [value] };
}

function parsed(bytes: Uint8Array): unknown {
  const maxItems = startsWithBracket(bytes) ? MAX_EVENTS : undefined;
  const result = parseJsonBytes(bytes, { maxItems });
  if (!('problem' in result)) return result.value;
  if (result.problem === 'too many values') throw tooManyEvents(MAX_EVENTS);
  const reason = `${result.problem}: ${result.detail}`;
  throw new RequestProblem('bad-request', reason, [{ field: 'body', rule: 'invalid', reason, source: 'body' }]);
}

/** Only a list has a bound of entries: what an event's data may have is bounded by its size. */
function startsWithBracket(bytes: Uint8Array): boolean {
  return /^\s*\[/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));
}

type Checked =
  | { event: MeteringEvent; data: string | undefined; explain?: undefined }
  | { event?: undefined; explain(prefix: readonly number[]): InvalidParameter[] };

function checked(event: unknown, maxDataBytes: number): Checked {
  if (!isJsonObject(event)) return { explain: (prefix) => [noEventObject(prefix)] };
  const extensions = extensionProblems(event);
  const result = meteringEventSchema.safeParse(event, REPORT);
  if (result.success && extensions.length === 0) {
    const { data } = result.data;
    const json = data === null || data === undefined ? undefined : JSON.stringify(data);
    const bytes = json === undefined ? 0 : Buffer.byteLength(json);
    if (bytes <= maxDataBytes) return { event: result.data, data: json };
    return { explain: (prefix) => [tooMuchData(prefix, bytes, maxDataBytes)] };
  }
  return {
    explain: (prefix) => [
      ...(result.success ? [] : invalidParameters(result.error, 'body', prefix)),
      ...extensions.map((problem) => ({ ...problem, field: [...prefix, problem.field].join('.') })),
    ],
  };
}

/** What a look shows to be no event. Whatever passes is checked in full. */
function isHopeless(event: unknown): boolean {
  if (!isJsonObject(event)) return true;
  return ['id', 'source', 'type', 'subject'].some((name) => typeof event[name] !== 'string' || event[name] === '');
}

function toNewEvent(event: MeteringEvent, data: string | undefined, receivedAtMs: number): NewEvent {
  const timeMs = typeof event.time === 'string' ? parseInstant(event.time) : undefined;
  return {
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject,
    timeMs: timeMs ?? receivedAtMs,
    ...(timeMs === undefined && { isTimeOfReceipt: true }),
    data,
    ingestedAtMs: receivedAtMs,
  };
}

/** Refusals are told to whoever sent the events: what they call them, within bounds. */
const MAX_TOLD_LENGTH = 1024;

function identity(event: unknown): { id?: string; source?: string } {
  if (typeof event !== 'object' || event === null) return {};
  const { id, source } = event as { id?: unknown; source?: unknown };
  return {
    ...(typeof id === 'string' && { id: id.slice(0, MAX_TOLD_LENGTH) }),
    ...(typeof source === 'string' && { source: source.slice(0, MAX_TOLD_LENGTH) }),
  };
}
