import type { AnswerPayload } from './answer-payload.ts';

/** The gateway's counters of one call. */
export interface LoggedCounts {
  readonly request: number | undefined;
  readonly response: number | undefined;
}

export interface LoggedStream {
  readonly logged: LoggedCounts;
  readonly provider: string | undefined;
  readonly payload: AnswerPayload | undefined;
  /** The gateway says that it has counted once what came last. */
  readonly isCountedOnce: boolean;
}

/** What is known of the tokens of a stream; undefined = unknown. */
export interface StreamedCounts extends LoggedCounts {
  readonly isPromptEstimated: boolean;
  readonly isAnswerEstimated: boolean;
}

/**
 * Providers whose streams tell the gateway their usage; for all others it reckons both numbers from the texts
 * (`streaming_has_token_counts` in `kong/llm/drivers/shared.lua` of 3.9.1).
 */
const COUNTING_PROVIDERS: readonly string[] = ['cohere', 'llama2', 'anthropic', 'gemini', 'bedrock'];

/**
 * Of these the gateway sets its counters, and of the others it adds to them. What it adds it may add twice: when a stream
 * ends, it goes over the events of its last read once more (`normalize-sse-chunk.lua` of 3.9.1). Seen: 16 and 10 tokens
 * for 8 and 5 of a stream of Cohere, whose count is in its last event; a text that is logged twice; 15 for 7 of Anthropic.
 */
const SETTING_PROVIDERS: readonly string[] = ['gemini'];

/** Anthropic's first message of a stream tells the tokens of the answer that it has at that moment: one. */
const ANTHROPIC_TOKENS_AT_START = 1;

/** Reads the counters of a stream that ended; 0 is where they begin, so that it is unknown. */
export function countStream(stream: LoggedStream): StreamedCounts {
  const { provider, payload, isCountedOnce } = stream;
  const isTold = provider !== undefined && COUNTING_PROVIDERS.includes(provider);
  const once = isCountedOnce ? { logged: stream.logged, textBytes: payload?.textBytes } : onceCounted(stream);
  const { request, response } = once.logged;
  if (response === undefined || response === 0) {
    return { request, response: undefined, isPromptEstimated: isEstimated(), isAnswerEstimated: true };
  }
  if (provider !== 'anthropic' || isTextLength(once.textBytes, response)) {
    return { request, response, isPromptEstimated: isEstimated(), isAnswerEstimated: isEstimated() };
  }
  // The gateway adds the count of `message_start` to that of `message_delta`, which holds it already. The log does not
  // show the first one by itself, so what is left is no more than very near.
  const tokens = response - ANTHROPIC_TOKENS_AT_START;
  return {
    request,
    response: tokens === 0 ? undefined : tokens,
    isPromptEstimated: isEstimated(),
    isAnswerEstimated: true,
  };

  function isEstimated(): boolean {
    // Without the texts the gateway could not have reckoned anything but the prompt.
    if (!isTold) return payload !== undefined || response === undefined || response === 0;
    if (!isCountedOnce && !SETTING_PROVIDERS.includes(provider ?? '')) return true;
    return isTextLength(once.textBytes, response);
  }
}

interface Once {
  readonly logged: LoggedCounts;
  readonly textBytes: number | undefined;
}

/** A text that is logged twice was counted twice, and with it, unless it was the text that was counted, the prompt. */
function onceCounted({ logged, payload }: LoggedStream): Once {
  const { request, response } = logged;
  const { textBytes, textBytesOnce } = payload ?? { textBytes: undefined, textBytesOnce: undefined };
  if (textBytesOnce === undefined || request === undefined || response === undefined) return { logged, textBytes };
  if (isTextLength(textBytes, response)) {
    return { logged: { request, response: lengthOf(textBytesOnce) }, textBytes: textBytesOnce };
  }
  if (request % 2 !== 0 || response % 2 !== 0) return { logged, textBytes };
  return { logged: { request: request / 2, response: response / 2 }, textBytes: textBytesOnce };
}

/** What the gateway puts in place of a count that a stream did not tell: a quarter of the answer's bytes. */
function lengthOf(textBytes: number): number {
  return Math.ceil(textBytes / 4);
}

function isTextLength(textBytes: number | undefined, tokens: number | undefined): boolean {
  return textBytes !== undefined && lengthOf(textBytes) === tokens;
}
