import { countOf, type JsonObject, objectOf, textOf } from './json-values.ts';
import { ANSWER_NAMES, firstCount, PROMPT_NAMES, type TokenType } from './token-types.ts';

/** What a logged answer (`log_payloads`) tells of its tokens. The answer itself goes nowhere. */
export interface AnswerPayload {
  /**
   * Whether the provider told its usage; `undefined` when the answer could not be read. Of a stream the gateway writes
   * this itself, so it tells nothing there.
   */
  readonly hasUsage: boolean | undefined;
  /** What the answer itself says, where it says so: native formats have names that the gateway does not read. */
  readonly told: { readonly request: number | undefined; readonly response: number | undefined };
  /** Bytes of the text that the gateway put together from a stream. */
  readonly textBytes: number | undefined;
  /** Those of its half, when the text is the same twice. */
  readonly textBytesOnce: number | undefined;
  /** Tokens that are neither in the prompt's count nor in the answer's. */
  readonly beside: readonly (readonly [TokenType, number])[];
}

/** Longer answers are not read: parsing one would hold up the log entries behind it. */
const MAX_PAYLOAD_CHARACTERS = 262_144;

const UNREADABLE: AnswerPayload = {
  hasUsage: undefined,
  told: { request: undefined, response: undefined },
  textBytes: undefined,
  textBytesOnce: undefined,
  beside: [],
};

/** Reads the answer in one AI plugin's section of a log entry; `undefined` when none was logged. */
export function readAnswerPayload(section: JsonObject): AnswerPayload | undefined {
  const text = textOf(objectOf(section['payload'])?.['response']);
  if (text === undefined) return undefined;
  const answer = text.length > MAX_PAYLOAD_CHARACTERS ? undefined : parse(text);
  if (answer === undefined) return UNREADABLE;
  const usage = objectOf(answer['usage']);
  const native = objectOf(answer['usageMetadata']);
  const streamed = textOf(answer['response']);
  return {
    hasUsage: usage !== undefined || native !== undefined,
    told: {
      request: firstCount(usage, PROMPT_NAMES) ?? countOf(native?.['promptTokenCount']),
      response: firstCount(usage, ANSWER_NAMES) ?? countOf(native?.['candidatesTokenCount']),
    },
    textBytes: bytesOf(streamed),
    textBytesOnce: bytesOf(halfOf(streamed)),
    beside: [...besideInUsage(usage), ...besideInGemini(native)].filter(isSome),
  };
}

/** As the gateway counts them. */
function bytesOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Buffer.byteLength(text.trim());
}

function halfOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length === 0 || text.length % 2 !== 0) return undefined;
  const half = text.slice(0, text.length / 2);
  return text.endsWith(half) ? half : undefined;
}

type Beside = readonly [TokenType, number | undefined];

/** Anthropic's own format counts cached parts of the prompt apart; https://docs.anthropic.com/en/api/messages. */
function besideInUsage(usage: JsonObject | undefined): readonly Beside[] {
  return [
    ['cache_read', countOf(usage?.['cache_read_input_tokens'])],
    ['cache_write', countOf(usage?.['cache_creation_input_tokens'])],
    ['thoughts', missingFromTotal(usage)],
  ];
}

/** Gemini counts thoughts in the total only, which is what is left of them in the format that the gateway translates to. */
function missingFromTotal(usage: JsonObject | undefined): number | undefined {
  const [prompt, answer, total] = ['prompt_tokens', 'completion_tokens', 'total_tokens'].map((name) =>
    countOf(usage?.[name]),
  );
  return prompt === undefined || answer === undefined || total === undefined ? undefined : total - prompt - answer;
}

/** Gemini's own format; https://ai.google.dev/api/generate-content#UsageMetadata. */
function besideInGemini(usage: JsonObject | undefined): readonly Beside[] {
  return [
    ['thoughts', countOf(usage?.['thoughtsTokenCount'])],
    ['tool_use', countOf(usage?.['toolUsePromptTokenCount'])],
  ];
}

function isSome(pair: Beside): pair is readonly [TokenType, number] {
  return pair[1] !== undefined && pair[1] > 0;
}

function parse(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    // Native streams, texts cut by the gateway: nothing to be read.
    return undefined;
  }
}
