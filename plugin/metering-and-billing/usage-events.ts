import type { CloudEventV1 } from 'cloudevents';
import { type AiCall, findAiCalls } from './ai-calls.ts';
import { apiRequestData } from './api-request-data.ts';
import { findAttributes } from './attributes.ts';
import type { MeteringSettings } from './config.ts';
import { llmRequestData } from './llm-request-data.ts';
import { type LogEntry, parseLogEntry } from './log-entry.ts';
import { isStatusAllowed } from './status-codes.ts';
import { findSubject, type Subject, type SubjectLookup } from './subject.ts';

/** The data of an event: fields of the gateway and custom attributes; `undefined` fields are not in the JSON. */
export type UsageData = Readonly<Record<string, string | number | undefined>>;

type Attributes = CloudEventV1<UsageData>;

/**
 * One CloudEvent 1.0, ready for `JSON.stringify`. A plain object: the SDK's class checks each event again, which costs a
 * multiple of building it.
 */
export type UsageEvent = Readonly<
  Required<Pick<Attributes, 'specversion' | 'id' | 'source' | 'type' | 'subject' | 'datacontenttype' | 'data'>>
> & { readonly time: string | undefined };

/** Usage that was metered and yet makes no event. The detail holds nothing of the log entry. */
export interface Drop {
  readonly reason: 'unreadable_log_entry' | 'no_subject' | 'unknown_token_count';
  /** Events, not requests: an AI call makes several. */
  readonly count: number;
  readonly detail?: string;
}

/** What became of a request: that it made events, or why it made none. */
export type Outcome =
  | 'metered'
  | 'no_subject'
  /** Its status is none of `allow_status_codes`. */
  | 'status_not_allowed'
  | 'unknown_token_count'
  /** It is none of what the configuration has metered. */
  | 'nothing_to_meter'
  | 'unreadable_log_entry'
  | 'bad_config';

/** What one logged request comes to. */
export interface Usage {
  readonly outcome: Outcome;
  /** The gateway's; undefined when the entry cannot be read. */
  readonly requestId: string | undefined;
  readonly events: readonly UsageEvent[];
  readonly drops: readonly Drop[];
  /** Whose request it was, when the gateway had let it through; for whoever counts requests under way. */
  readonly passedSubject: string | undefined;
}

/**
 * What the gateway itself answers when it refuses a request: no credit, no access, quota gone, not to be checked, and no
 * plugin server to ask.
 */
const REFUSALS: readonly number[] = [402, 403, 429, 500, 503];

/**
 * Turns what `kong.log.serialize()` answered into usage events: one `kong.api_request` per request, and for an AI call
 * one `kong.llm_request` for the prompt, one for the answer and one for each other type of tokens. The ids derive from
 * the gateway's request id alone, so that a replayed log is recognised as such. Never throws.
 */
export function usageOf(settings: MeteringSettings, raw: unknown): Usage {
  const entry = parseLogEntry(raw);
  if (entry === undefined) {
    const reason = 'unreadable_log_entry';
    return {
      outcome: reason,
      requestId: undefined,
      events: [],
      drops: [{ reason, count: 1 }],
      passedSubject: undefined,
    };
  }
  const subject = findSubject(settings.subject, entry);
  const wasRefused = entry.fields['source'] === 'kong' && REFUSALS.includes(entry.status);
  const passedSubject = wasRefused ? undefined : subject?.value;
  const { requestId } = entry;
  if (!isStatusAllowed(settings.allowStatusCodes, entry.status)) {
    return { outcome: 'status_not_allowed', requestId, events: [], drops: [], passedSubject };
  }
  return { ...eventsOf(settings, entry, subject), requestId, passedSubject };
}

function eventsOf(
  settings: MeteringSettings,
  entry: LogEntry,
  subject: Subject | undefined,
): Pick<Usage, 'outcome' | 'events' | 'drops'> {
  const aiCalls = settings.meterAiTokenUsage ? findAiCalls(entry) : [];
  const drops: Drop[] = [];
  let eventCount = settings.meterApiRequests ? 1 : 0;
  for (const { counts, unknownCounts, unknownReason } of aiCalls) {
    eventCount += counts.length;
    if (unknownCounts > 0) drops.push({ reason: 'unknown_token_count', count: unknownCounts, detail: unknownReason });
  }
  if (eventCount === 0) {
    return { outcome: drops.length > 0 ? 'unknown_token_count' : 'nothing_to_meter', events: [], drops };
  }
  if (subject === undefined) {
    drops.push({ reason: 'no_subject', count: eventCount, detail: describe(settings.subject) });
    return { outcome: 'no_subject', events: [], drops };
  }
  return { outcome: 'metered', events: build(settings, entry, subject, aiCalls), drops };
}

function build(
  settings: MeteringSettings,
  entry: LogEntry,
  subject: Subject,
  aiCalls: readonly AiCall[],
): readonly UsageEvent[] {
  const custom = settings.attributes.length > 0 ? findAttributes(settings.attributes, entry) : undefined;
  const time = timeOf(entry);
  const event = (id: string, type: string, data: UsageData): UsageEvent => ({
    specversion: '1.0',
    id,
    source: 'kong-gateway',
    type,
    subject: subject.value,
    time,
    datacontenttype: 'application/json',
    // Copying costs as much as building; attributes are rare.
    data: custom === undefined ? data : { ...custom, ...data },
  });
  const events: UsageEvent[] = [];
  if (settings.meterApiRequests) {
    events.push(event(entry.requestId, 'kong.api_request', apiRequestData(entry, subject.type)));
  }
  for (const aiCall of aiCalls) {
    const idOfCall = aiCall.idPart === undefined ? entry.requestId : `${entry.requestId}:${aiCall.idPart}`;
    for (const count of aiCall.counts) {
      const data = llmRequestData(entry, subject.type, aiCall, count);
      events.push(event(`${idOfCall}:${count.type}`, 'kong.llm_request', data));
    }
  }
  return events;
}

/** The start of the request; without one the backend takes the time of receipt. */
function timeOf(entry: LogEntry): string | undefined {
  const startedAtMs = entry.fields['started_at'];
  if (typeof startedAtMs !== 'number') return undefined;
  const startedAt = new Date(Math.round(startedAtMs));
  return Number.isNaN(startedAt.getTime()) ? undefined : startedAt.toISOString();
}

function describe(lookup: SubjectLookup): string {
  return `${lookup.source} ${lookup.field}`;
}
