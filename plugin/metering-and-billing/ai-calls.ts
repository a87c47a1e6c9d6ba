import { type JsonObject, objectOf, textOf } from './json-values.ts';
import { headerOf, type LogEntry } from './log-entry.ts';

import { countTokens, type TokenCount } from './token-counts.ts';
import { lastUpstreamStatus } from './upstream-status.ts';

/** One call of an AI model. */
export interface AiCall {
  readonly meta: JsonObject;
  readonly pluginName: string;
  /** What tells this call from the others of one request, in the ids of its events; `undefined` for the proxied one. */
  readonly idPart: string | undefined;
  readonly cacheStatus: string | undefined;
  readonly counts: readonly TokenCount[];
  /** How many counts the gateway could not know, and why; they must not pass for zero. */
  readonly unknownCounts: number;
  readonly unknownReason: string;
}

/**
 * Where gateway versions put the statistics of the proxied call, and the plugin that this tells of. Version 3.8 and later
 * write `proxy` for both plugins; an open source gateway has `ai-proxy` only. A call stands under one of them.
 */
const PROXY_SECTIONS = [
  ['proxy', 'ai-proxy'],
  ['ai-proxy', 'ai-proxy'],
  ['ai-proxy-advanced', 'ai-proxy-advanced'],
] as const;

/** Plugins that call a model of their own beside the request that is proxied; each call is one more. */
const TRANSFORMERS = ['ai-request-transformer', 'ai-response-transformer'] as const;

/** nginx's status of a client that went away before it had the whole answer. */
const CLIENT_WENT_AWAY = 499;

/**
 * The AI calls that a log entry tells of; none for most requests.
 *
 * A failed request owes no tokens: the gateway logs an estimate of its prompt all the same (measured on 3.9.1). A client
 * that goes away has had the answer made for it: what its call used is owed, and mostly unknown.
 */
export function findAiCalls(entry: LogEntry): readonly AiCall[] {
  if (!isOwed(entry)) return [];
  const ai = objectOf(entry.fields['ai']);
  const calls: AiCall[] = [];
  const proxied = ai === undefined ? undefined : findSection(ai);
  if (proxied !== undefined) calls.push(callOf(entry, proxied.section, proxied.pluginName, undefined));
  // ai-proxy marks its answers with the model. That is all it tells without `log_statistics`, and of an answer that broke off.
  else if (headerOf(entry.response, 'x-kong-llm-model') !== undefined || isLeftUnanswered(entry)) {
    calls.push(uncountedCall(entry));
  }
  for (const pluginName of TRANSFORMERS) {
    const section = objectOf(ai?.[pluginName]);
    if (section !== undefined) calls.push(callOf(entry, section, pluginName, pluginName));
  }
  return calls;
}

/**
 * A client that went away before anything was answered leaves nothing of an AI plugin in the log, though the model may
 * have been asked: then nothing tells the call from another request with a body of JSON, which is better named too often.
 */
function isLeftUnanswered(entry: LogEntry): boolean {
  if (entry.status !== CLIENT_WENT_AWAY || textOf(entry.request['method']) !== 'POST') return false;
  return mediaTypeOf(entry.request) === 'application/json' && isUnanswered(entry);
}

function isUnanswered(entry: LogEntry): boolean {
  const tries = entry.fields['upstream_status'];
  // Without any nobody was asked.
  return textOf(tries) !== undefined && lastUpstreamStatus(tries) === undefined;
}

function isOwed(entry: LogEntry): boolean {
  if (entry.status !== CLIENT_WENT_AWAY) return entry.status < 400;
  const upstream = lastUpstreamStatus(entry.fields['upstream_status']);
  return upstream === undefined || upstream < 400;
}

function findSection(ai: JsonObject): { section: JsonObject; pluginName: string } | undefined {
  for (const [key, pluginName] of PROXY_SECTIONS) {
    const section = objectOf(ai[key]);
    if (section !== undefined) return { section, pluginName };
  }
  return undefined;
}

function callOf(entry: LogEntry, section: JsonObject, pluginName: string, idPart: string | undefined): AiCall {
  const wasCutOff = entry.status === CLIENT_WENT_AWAY;
  return {
    meta: objectOf(section['meta']) ?? {},
    pluginName,
    idPart,
    cacheStatus: textOf(objectOf(section['cache'])?.['cache_status']),
    // A transformer reads the whole answer of its model, however the request itself is answered.
    ...countTokens(section, {
      isStreamed: idPart === undefined && isStreamed(entry),
      isCountedOnce: textOf(objectOf(entry.fields['ai_streams'])?.['counted']) === 'once',
      wasCutOff,
    }),
  };
}

function uncountedCall(entry: LogEntry): AiCall {
  return {
    meta: {},
    pluginName: 'ai-proxy',
    idPart: undefined,
    cacheStatus: undefined,
    counts: [],
    unknownCounts: 2,
    unknownReason: reasonOfNoStatistics(entry),
  };
}

function reasonOfNoStatistics(entry: LogEntry): string {
  if (isUnanswered(entry)) return 'the client went away before anything was answered, if this was an AI call';
  if (entry.status === CLIENT_WENT_AWAY) return 'the client went away before the answer was complete';
  if (isStreamed(entry)) return 'the stream broke off, or logging.log_statistics of the AI plugin is not enabled';
  return 'enable logging.log_statistics of the AI plugin';
}

/** Media types of streamed answers; the second is Bedrock's own format, passed through. */
const STREAM_TYPES = ['text/event-stream', 'application/vnd.amazon.eventstream', 'application/x-ndjson'];

function isStreamed(entry: LogEntry): boolean {
  const mediaType = mediaTypeOf(entry.response);
  return mediaType !== undefined && STREAM_TYPES.includes(mediaType);
}

function mediaTypeOf(message: JsonObject): string | undefined {
  return headerOf(message, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
}
