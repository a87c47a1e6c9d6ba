/** The type, the number, and where it comes from. */
export type Tokens = readonly [type: 'request' | 'response', tokens: number, count: 'reported' | 'estimated'];

/** One call of a model through Kong, and what is known of its tokens. */
export interface LlmCase {
  readonly what: string;
  /** What the model does; see models.ts. */
  readonly model: string;
  readonly isStreamed?: boolean;
  /** Kong logs the texts. */
  readonly withPayload?: boolean;
  /** Kong counts once what comes last; see bill-llm-tokens.md. */
  readonly isCountedOnce?: boolean;
  readonly body?: string;
  /** What the client gets; undefined = nothing whole, since it leaves, or the model does. */
  readonly status: number | undefined;
  readonly tokens: readonly Tokens[];
  /** Counts that cannot be known. */
  readonly unknown?: number;
}

const STREAMED = { isStreamed: true, status: 200 } as const;
const LEFT = { status: undefined, tokens: [] } as const;
const PROMPT: Tokens = ['request', 9, 'estimated'];
const LOGGED_STREAM = { ...STREAMED, withPayload: true, tokens: [PROMPT, ['response', 3, 'estimated']] } as const;
const ONCE = { ...STREAMED, isCountedOnce: true } as const;

/** As they were seen on Kong 3.9.1. */
export const LLM_CASES: readonly LlmCase[] = [
  { what: 'an answer', model: '/openai/plain', status: 200, tokens: both(11, 4) },
  { what: 'an answer, logged', model: '/openai/plain', withPayload: true, status: 200, tokens: both(11, 4) },
  { what: 'an answer of Anthropic', model: '/anthropic/plain', status: 200, tokens: both(12, 7) },
  { what: 'an answer without usage', model: '/openai/no-usage', status: 200, tokens: both(5, 0, 'estimated') },
  {
    what: 'an answer without usage, logged',
    model: '/openai/no-usage',
    withPayload: true,
    status: 200,
    tokens: [['request', 5, 'estimated']],
    unknown: 1,
  },

  { what: 'a refusal for the rate', model: '/openai/429', status: 429, tokens: [] },
  { what: 'a refusal for the content', model: '/openai/400', status: 400, tokens: [] },
  { what: 'a refusal of a stream', model: '/openai/429', isStreamed: true, status: 429, tokens: [] },
  { what: 'a refusal by Kong', model: '/openai/plain', body: '{"messages":', status: 400, tokens: [] },

  { what: 'a stream', model: '/openai/stream', ...STREAMED, tokens: [PROMPT], unknown: 1 },
  { what: 'a stream with usage', model: '/openai/stream-usage', ...STREAMED, tokens: [PROMPT], unknown: 1 },
  { what: 'a stream in pieces, logged', model: '/openai/slow', ...LOGGED_STREAM },
  { what: 'a stream at once, logged', model: '/openai/stream', ...LOGGED_STREAM },
  { what: 'a stream at once with usage, logged', model: '/openai/stream-usage', ...LOGGED_STREAM },
  { what: 'a stream at once, logged and counted once', model: '/openai/stream', ...LOGGED_STREAM, ...ONCE },

  { what: 'Anthropic in pieces', model: '/anthropic/slow', ...STREAMED, tokens: both(12, 7, 'estimated') },
  // Kong counts the last read twice: 1 + 2 × 7, and 2 × (1 + 7); one of it is taken off.
  {
    what: 'Anthropic, its end at once',
    model: '/anthropic/slow-start',
    ...STREAMED,
    tokens: both(12, 14, 'estimated'),
  },
  { what: 'Anthropic at once', model: '/anthropic/stream', ...STREAMED, tokens: both(24, 15, 'estimated') },
  {
    what: 'Anthropic at once, logged',
    model: '/anthropic/stream',
    ...STREAMED,
    withPayload: true,
    tokens: both(12, 7, 'estimated'),
  },
  { what: 'Anthropic, its end at once, counted once', model: '/anthropic/slow-start', ...ONCE, tokens: claude() },
  { what: 'Anthropic at once, counted once', model: '/anthropic/stream', ...ONCE, tokens: claude() },
  { what: 'Cohere', model: '/cohere/stream', ...STREAMED, tokens: both(16, 10, 'estimated') },
  { what: 'Cohere, counted once', model: '/cohere/stream', ...ONCE, tokens: both(8, 5) },

  { what: 'a stream that breaks off', model: '/openai/breaks', isStreamed: true, ...LEFT, unknown: 2 },
  { what: 'a stream whose client leaves', model: '/openai/hangs', isStreamed: true, ...LEFT, unknown: 2 },
  {
    what: 'a stream whose client leaves, logged',
    model: '/openai/hangs',
    isStreamed: true,
    withPayload: true,
    ...LEFT,
    unknown: 2,
  },
  { what: 'a stream whose client leaves before it', model: '/openai/silent', isStreamed: true, ...LEFT, unknown: 2 },
  // Kong waits for the whole answer, and does not see that nobody is there any more.
  { what: 'an answer whose client leaves before it', model: '/openai/late', status: undefined, tokens: both(11, 4) },
];

function both(request: number, response: number, count: Tokens[2] = 'reported'): readonly Tokens[] {
  return [
    ['request', request, count],
    ['response', response, count],
  ];
}

function claude(): readonly Tokens[] {
  return [
    ['request', 12, 'reported'],
    ['response', 7, 'estimated'],
  ];
}
