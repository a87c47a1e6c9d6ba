import { type AnswerPayload, readAnswerPayload } from './answer-payload.ts';
import { countStream, type LoggedCounts, type StreamedCounts } from './streamed-counts.ts';
import { ANSWER_NAMES, firstCount, PROMPT_NAMES, type TokenType } from './token-types.ts';

export type { TokenType } from './token-types.ts';

import { type JsonObject, objectOf, textOf } from './json-values.ts';

/** The tokens of one type of one call. */
export interface TokenCount {
  readonly type: TokenType;
  readonly tokens: number;
  /** Whether the provider told the number, or the gateway reckoned it from the length of texts. */
  readonly count: 'reported' | 'estimated';
}

/** What is known of the tokens of one call. */
export interface TokenCounts {
  readonly counts: readonly TokenCount[];
  /** How many counts could not be known, and why; they must not pass for zero. */
  readonly unknownCounts: number;
  readonly unknownReason: string;
}

/** How the answer came to the client. */
export interface AnswerManner {
  readonly isStreamed: boolean;
  /** The gateway says that it has counted the parts of streams once; see streamed-counts.ts. */
  readonly isCountedOnce: boolean;
  /** The client went away before it had the whole answer. */
  readonly wasCutOff: boolean;
}

/**
 * The tokens of a call that succeeded, from its section of the log entry.
 *
 * The gateway's counters are 0 until something sets them (`kong/llm/plugin/observability.lua` of 3.9.1), so a prompt of 0,
 * and a streamed answer of 0, is unknown. A plain answer of 0 after a prompt may be real, as that of an embedding is; it
 * is also what stands where the provider told no usage and the prompt is an estimate, so both are marked as such unless the
 * logged answer shows which it is.
 */
export function countTokens(section: JsonObject, manner: AnswerManner): TokenCounts {
  const usage = objectOf(section['usage']);
  const meta = objectOf(section['meta']);
  const payload = readAnswerPayload(section);
  const provider = textOf(meta?.['provider_name']);
  const told = manner.isStreamed ? undefined : payload?.told;
  const logged = {
    request: orTold(firstCount(usage, PROMPT_NAMES), told?.request),
    response: orTold(firstCount(usage, ANSWER_NAMES), told?.response),
  };
  const stream = manner.isStreamed
    ? countStream({ logged, provider, payload, isCountedOnce: manner.isCountedOnce })
    : undefined;
  const call = { manner, payload, logged, stream, isCached: isCacheHit(section) };
  const counts: TokenCount[] = [];
  let unknownCounts = 0;
  for (const judge of [judgePrompt, judgeAnswer]) {
    const found = judge(call);
    if (found === undefined) unknownCounts += 1;
    else counts.push(manner.wasCutOff ? { ...found, count: 'estimated' } : found);
  }
  if (!manner.isStreamed && payload !== undefined) {
    for (const [type, tokens] of payload.beside) counts.push({ type, tokens, count: 'reported' });
  }
  return { counts, unknownCounts, unknownReason: reasonOf(call) };
}

/** A counter that is still 0 gives way to what the answer says. */
function orTold(logged: number | undefined, told: number | undefined): number | undefined {
  return logged === 0 && told !== undefined ? told : logged;
}

interface Call {
  readonly manner: AnswerManner;
  readonly payload: AnswerPayload | undefined;
  readonly logged: LoggedCounts;
  /** What a stream comes to; undefined for a plain answer. */
  readonly stream: StreamedCounts | undefined;
  /** The answer came from the gateway's cache: nobody asked a provider, and 0 is 0. */
  readonly isCached: boolean;
}

function judgePrompt(call: Call): TokenCount | undefined {
  const { payload, logged, stream, isCached } = call;
  const tokens = isCached ? logged.request : (stream?.request ?? logged.request);
  if (tokens === undefined || (tokens === 0 && !isCached)) return undefined;
  return { type: 'request', tokens, count: isReckoned() ? 'estimated' : 'reported' };

  function isReckoned(): boolean {
    if (isCached) return false;
    if (stream !== undefined) return stream.isPromptEstimated;
    return payload?.hasUsage === undefined ? logged.response === 0 : !payload.hasUsage;
  }
}

function judgeAnswer(call: Call): TokenCount | undefined {
  const { payload, logged, stream, isCached } = call;
  if (logged.response === undefined) return undefined;
  if (isCached) return { type: 'response', tokens: logged.response, count: 'reported' };
  if (stream !== undefined) {
    const { response: tokens, isAnswerEstimated } = stream;
    return tokens === undefined
      ? undefined
      : { type: 'response', tokens, count: isAnswerEstimated ? 'estimated' : 'reported' };
  }
  if (payload?.hasUsage ?? logged.response > 0) return { type: 'response', tokens: logged.response, count: 'reported' };
  // The logged answer has no usage: what stands there is where the counter began.
  if (payload?.hasUsage === false || !isMoreThanNone(logged.request)) return undefined;
  return { type: 'response', tokens: logged.response, count: 'estimated' };
}

function isMoreThanNone(tokens: number | undefined): boolean {
  return tokens !== undefined && tokens > 0;
}

function isCacheHit(section: JsonObject): boolean {
  return textOf(objectOf(section['cache'])?.['cache_status'])?.toLowerCase() === 'hit';
}

function reasonOf({ manner, payload }: Call): string {
  if (manner.wasCutOff) return 'the client went away before the answer was complete';
  if (!manner.isStreamed) return 'the AI plugin logged no usable count';
  return payload === undefined
    ? 'streamed answer: enable logging.log_payloads of the AI plugin for its counts'
    : 'the stream told no count';
}
