import { countOf, type JsonObject, objectOf, textOf } from './json-values.ts';
import { headerOf, type LogEntry } from './log-entry.ts';

/** The tokens of one direction of a call: of the prompt (`request`) or of the answer (`response`). */
export interface TokenCount {
  readonly direction: 'request' | 'response';
  readonly tokens: number;
}

/** One call of an AI model. */
export interface AiCall {
  readonly meta: JsonObject;
  readonly pluginName: string;
  readonly cacheStatus: string | undefined;
  readonly counts: readonly TokenCount[];
  /** How many counts the gateway could not know, and why; they must not pass for zero. */
  readonly unknownCounts: number;
  readonly unknownReason: string;
}

/**
 * Where gateway versions put the statistics of a proxied call, and the plugin that this tells of. Version 3.8 and later
 * write `proxy` for both plugins; an open source gateway has `ai-proxy` only.
 */
const AI_SECTIONS = [
  ['proxy', 'ai-proxy'],
  ['ai-proxy', 'ai-proxy'],
  ['ai-proxy-advanced', 'ai-proxy-advanced'],
] as const;

/** Media types of streamed answers; the second is Bedrock's own format, passed through. */
const STREAM_TYPES = ['text/event-stream', 'application/vnd.amazon.eventstream', 'application/x-ndjson'];

/**
 * The AI call that a log entry tells of; `undefined` when there was none.
 *
 * Of a streamed answer the gateway counts the tokens only while it keeps the payload (`log_payloads`); otherwise it
 * logs 0, which is unknown, not nothing. In a plain answer 0 is 0. A failed call has no counts and owes none.
 */
export function findAiCall(entry: LogEntry): AiCall | undefined {
  const found = findSection(entry);
  const succeeded = entry.status < 400;
  if (found === undefined) {
    // ai-proxy marks its answers with the model; without `log_statistics` that is all it tells.
    const isUncounted = succeeded && headerOf(entry.response, 'x-kong-llm-model') !== undefined;
    return isUncounted ? uncountedCall() : undefined;
  }
  const { section, pluginName } = found;
  const usage = objectOf(section['usage']);
  const isBlind = isStreamed(entry) && textOf(objectOf(section['payload'])?.['response']) === undefined;
  const counts: TokenCount[] = [];
  let unknownCounts = 0;
  for (const [direction, names] of DIRECTIONS) {
    const logged = names.map((name) => usage?.[name]).find((value) => value !== undefined && value !== null);
    const tokens = countOf(logged);
    if (tokens === undefined) unknownCounts += logged !== undefined || succeeded ? 1 : 0;
    else if (tokens === 0 && isBlind) unknownCounts += 1;
    else counts.push({ direction, tokens });
  }
  return {
    meta: objectOf(section['meta']) ?? {},
    pluginName,
    cacheStatus: textOf(objectOf(section['cache'])?.['cache_status']),
    counts,
    unknownCounts,
    unknownReason: isBlind
      ? 'streamed answer: enable logging.log_payloads of the AI plugin for its counts'
      : 'the AI plugin logged no usable count',
  };
}

/** Older names first: they are what chat completions carry; the others came with the 3.11 modalities. */
const DIRECTIONS = [
  ['request', ['prompt_tokens', 'input_tokens']],
  ['response', ['completion_tokens', 'output_tokens']],
] as const;

function findSection(entry: LogEntry): { section: JsonObject; pluginName: string } | undefined {
  const ai = objectOf(entry.fields['ai']);
  for (const [key, pluginName] of AI_SECTIONS) {
    const section = objectOf(ai?.[key]);
    if (section !== undefined) return { section, pluginName };
  }
  return undefined;
}

function isStreamed(entry: LogEntry): boolean {
  const mediaType = headerOf(entry.response, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType !== undefined && STREAM_TYPES.includes(mediaType);
}

function uncountedCall(): AiCall {
  return {
    meta: {},
    pluginName: 'ai-proxy',
    cacheStatus: undefined,
    counts: [],
    unknownCounts: 2,
    unknownReason: 'enable logging.log_statistics of the AI plugin',
  };
}
