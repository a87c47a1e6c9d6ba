import { describe, expect, test } from 'vitest';
import { type AiCall, findAiCalls } from '../../../plugin/metering-and-billing/ai-calls.ts';
import { parseLogEntry } from '../../../plugin/metering-and-billing/log-entry.ts';
import { aiCase, recording } from '../../gateway-player/index.ts';

const PLAIN = '64ad5366269eef4879482e4397912d67';
const STREAM_WITH_PAYLOAD = 'efd25f4069fb392c327ae31fea1e5a36';
const STREAM_WITHOUT_PAYLOAD = 'e8d0c46f7969b542e10227767f169d03';
const NO_AI = '1241ae52f620917729ded05c653a733c';

interface Entry {
  ai?: { proxy?: Section; [key: string]: unknown };
  response: { status: number; headers: Record<string, string> };
  upstream_status?: string;
}

interface Section {
  usage?: object;
  payload?: { response: unknown };
  cache?: object;
  meta: Record<string, unknown>;
}

/** The AI calls of a recording after a change to it. */
function callsOf(json: string, change: (entry: Entry) => void = () => undefined): readonly AiCall[] {
  const entry = JSON.parse(json) as Entry;
  change(entry);
  const parsed = parseLogEntry(JSON.stringify(entry));
  if (parsed === undefined) throw new Error('the recording is no log entry');
  return findAiCalls(parsed);
}

function callOf(requestId: string, change?: (entry: Entry) => void): AiCall | undefined {
  const calls = callsOf(recording(requestId).json, change);
  expect(calls.length).toBeLessThanOrEqual(1);
  return calls[0];
}

const withUsage =
  (usage: object | undefined, status = 200) =>
  (entry: Entry): void => {
    if (entry.ai?.proxy === undefined) throw new Error('no AI call');
    if (usage === undefined) delete entry.ai.proxy.usage;
    else entry.ai.proxy.usage = usage;
    entry.response.status = status;
  };

type Count = 'reported' | 'estimated';

const known = (request: number, response: number, count: Count = 'reported'): object[] => [
  { type: 'request', tokens: request, count },
  { type: 'response', tokens: response, count },
];

/** Gives the proxied call another provider, its usage, and the answer that was logged. */
const answered =
  (provider: string, usage: object, response?: object) =>
  (entry: Entry): void => {
    withUsage(usage)(entry);
    const section = entry.ai?.proxy;
    if (section === undefined) return;
    section.meta['provider_name'] = provider;
    if (response === undefined) delete section.payload;
    else section.payload = { response: JSON.stringify(response) };
  };

describe('token counts', () => {
  test('are those that the gateway logged', () => {
    expect(callOf(PLAIN)).toMatchObject({ counts: known(11, 4), unknownCounts: 0, pluginName: 'ai-proxy' });
  });

  test('are read under their newer names', () => {
    expect(callOf(PLAIN, withUsage({ input_tokens: 7, output_tokens: 9 }))?.counts).toEqual(known(7, 9));
  });

  test.each([
    ['ai-proxy', 'ai-proxy'],
    ['ai-proxy-advanced', 'ai-proxy-advanced'],
  ])('are found under the key %s', (key, pluginName) => {
    const call = callOf(PLAIN, (entry) => {
      entry.ai = { [key]: entry.ai?.proxy };
    });
    expect(call).toMatchObject({ counts: known(11, 4), unknownCounts: 0, pluginName });
  });

  test('are taken once when a call is logged under two keys', () => {
    const call = callOf(PLAIN, (entry) => {
      entry.ai = { 'ai-proxy': entry.ai?.proxy, ...entry.ai };
    });
    expect(call?.counts).toEqual(known(11, 4));
  });

  test('a plain answer of 0 tokens after a prompt is a real zero where the answer shows it', () => {
    const usage = { prompt_tokens: 11, completion_tokens: 0 };
    expect(callOf(PLAIN, answered('openai', usage, { usage }))).toMatchObject({
      counts: known(11, 0),
      unknownCounts: 0,
    });
  });

  test('an answer in a native format is counted by what it says itself', () => {
    const unset = { prompt_tokens: 0, completion_tokens: 0 };
    const claude = answered('anthropic', unset, { usage: { input_tokens: 12, output_tokens: 7 } });
    expect(callOf(PLAIN, claude)).toMatchObject({ counts: known(12, 7), unknownCounts: 0 });
    const gemini = answered('gemini', unset, { usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 5 } });
    expect(callOf(PLAIN, gemini)).toMatchObject({ counts: known(8, 5), unknownCounts: 0 });
  });

  test('a plain answer of 0 tokens after a prompt may be real or not, where nothing shows which', () => {
    const call = callOf(PLAIN, answered('openai', { prompt_tokens: 11, completion_tokens: 0 }));
    expect(call).toMatchObject({ counts: known(11, 0, 'estimated'), unknownCounts: 0 });
  });

  test('a plain answer that is logged without usage has a prompt of an estimate, and an unknown answer', () => {
    const call = callOf(PLAIN, answered('openai', { prompt_tokens: 5, completion_tokens: 0 }, { choices: [] }));
    expect(call).toMatchObject({
      counts: [{ type: 'request', tokens: 5, count: 'estimated' }],
      unknownCounts: 1,
    });
  });

  test('a prompt of 0 tokens is unknown, as what nothing has set', () => {
    expect(callOf(PLAIN, answered('openai', { prompt_tokens: 0, completion_tokens: 0 }))).toMatchObject({
      counts: [],
      unknownCounts: 2,
    });
    expect(callOf(PLAIN, answered('openai', { prompt_tokens: 0, completion_tokens: 4 }))).toMatchObject({
      counts: [{ type: 'response', tokens: 4, count: 'reported' }],
      unknownCounts: 1,
    });
  });

  test('a prompt of 0 tokens under one name is that of the other', () => {
    const usage = { prompt_tokens: 0, input_tokens: 11, completion_tokens: 0, output_tokens: 4 };
    expect(callOf(PLAIN, answered('openai', usage))?.counts).toEqual(known(11, 4));
  });

  test("an answer from the gateway's cache may have used nothing", () => {
    const call = callOf(PLAIN, (entry) => {
      answered('openai', { prompt_tokens: 0, completion_tokens: 0 })(entry);
      if (entry.ai?.proxy !== undefined) entry.ai.proxy.cache = { cache_status: 'Hit' };
    });
    expect(call).toMatchObject({ counts: known(0, 0), unknownCounts: 0 });
  });

  test('a streamed answer of 0 tokens without its payload is unknown', () => {
    expect(callOf(STREAM_WITHOUT_PAYLOAD)).toMatchObject({
      counts: [{ type: 'request', tokens: 11, count: 'estimated' }],
      unknownCounts: 1,
      unknownReason: 'streamed answer: enable logging.log_payloads of the AI plugin for its counts',
    });
  });

  test.each(['text/event-stream; charset=utf-8', 'Text/Event-Stream', 'application/vnd.amazon.eventstream'])(
    'a stream of the type %s is a stream',
    (type) => {
      const call = callOf(STREAM_WITHOUT_PAYLOAD, (entry) => {
        entry.response.headers['content-type'] = type;
      });
      expect(call?.unknownCounts).toBe(1);
    },
  );

  test('a streamed answer of 0 tokens with its payload is unknown, too', () => {
    const call = callOf(STREAM_WITH_PAYLOAD, withUsage({ prompt_tokens: 2, completion_tokens: 0 }));
    expect(call).toMatchObject({ counts: [{ type: 'request', tokens: 2, count: 'estimated' }], unknownCounts: 1 });
  });

  test('a streamed answer with its payload is counted by its length', () => {
    expect(callOf(STREAM_WITH_PAYLOAD)).toMatchObject({ counts: known(2, 5, 'estimated'), unknownCounts: 0 });
  });

  test('a text that says the same twice, with counts that are no doubles, was counted once', () => {
    const usage = { prompt_tokens: 11, completion_tokens: 9 };
    const said = answered('cohere', usage, { response: 'haha', usage });
    expect(callOf(STREAM_WITH_PAYLOAD, said)?.counts).toEqual(known(11, 9, 'estimated'));
  });

  test('a streamed answer without payload whose provider told the count is known', () => {
    const call = callOf(STREAM_WITHOUT_PAYLOAD, withUsage({ prompt_tokens: 11, completion_tokens: 42 }));
    expect(call).toMatchObject({ counts: known(11, 42), unknownCounts: 0 });
  });

  test("a stream of a provider that tells its usage has the provider's numbers", () => {
    const usage = { prompt_tokens: 11, completion_tokens: 9 };
    const call = callOf(STREAM_WITH_PAYLOAD, answered('gemini', usage, { response: 'Hello there!', usage }));
    expect(call?.counts).toEqual(known(11, 9));
    const silent = answered('gemini', { ...usage, completion_tokens: 3 }, { response: 'Hello there!', usage });
    expect(callOf(STREAM_WITH_PAYLOAD, silent)?.counts).toEqual(known(11, 3, 'estimated'));
  });

  test('a stream of Anthropic has the tokens of its first message once, not twice', () => {
    const call = callOf(STREAM_WITHOUT_PAYLOAD, answered('anthropic', { prompt_tokens: 12, completion_tokens: 8 }));
    expect(call?.counts).toEqual([
      { type: 'request', tokens: 12, count: 'estimated' },
      { type: 'response', tokens: 7, count: 'estimated' },
    ]);
    const brokenOff = answered('anthropic', { prompt_tokens: 12, completion_tokens: 1 });
    expect(callOf(STREAM_WITHOUT_PAYLOAD, brokenOff)).toMatchObject({
      counts: [{ type: 'request' }],
      unknownCounts: 1,
    });
  });

  test('what a provider charges beside the prompt and the answer has types of its own', () => {
    const claude = {
      input_tokens: 12,
      output_tokens: 7,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 20,
    };
    expect(
      callOf(PLAIN, answered('anthropic', { prompt_tokens: 12, completion_tokens: 7 }, { usage: claude }))?.counts,
    ).toEqual([
      ...known(12, 7),
      { type: 'cache_read', tokens: 100, count: 'reported' },
      { type: 'cache_write', tokens: 20, count: 'reported' },
    ]);
    const gemini = { promptTokenCount: 8, candidatesTokenCount: 5, thoughtsTokenCount: 40, toolUsePromptTokenCount: 3 };
    expect(
      callOf(PLAIN, answered('gemini', { prompt_tokens: 8, completion_tokens: 5 }, { usageMetadata: gemini }))?.counts,
    ).toEqual([
      ...known(8, 5),
      { type: 'thoughts', tokens: 40, count: 'reported' },
      { type: 'tool_use', tokens: 3, count: 'reported' },
    ]);
    const translated = { prompt_tokens: 8, completion_tokens: 5, total_tokens: 53 };
    expect(callOf(PLAIN, answered('gemini', translated, { usage: translated }))?.counts).toEqual([
      ...known(8, 5),
      { type: 'thoughts', tokens: 40, count: 'reported' },
    ]);
  });

  test.each([4.5, -1, '4', true, 1e300, Number.MAX_SAFE_INTEGER + 2])('%j is no count', (value) => {
    const call = callOf(PLAIN, withUsage({ prompt_tokens: 11, completion_tokens: value }));
    expect(call).toMatchObject({ counts: [{ type: 'request', tokens: 11 }], unknownCounts: 1 });
  });

  test.each([[{}], [undefined]])('usage %j of an answer that succeeded is unknown', (usage) => {
    expect(callOf(PLAIN, withUsage(usage))).toMatchObject({ counts: [], unknownCounts: 2 });
  });

  test.each([400, 401, 429, 500, 503])('a call that failed with %d owes nothing, whatever was logged', (status) => {
    for (const usage of [undefined, {}, { prompt_tokens: 11, completion_tokens: 0 }]) {
      expect(callOf(PLAIN, withUsage(usage, status))).toBeUndefined();
    }
  });

  test('a call whose client went away is owed, as far as it is known', () => {
    const call = callOf(PLAIN, withUsage({ prompt_tokens: 11, completion_tokens: 4 }, 499));
    expect(call).toMatchObject({ counts: known(11, 4, 'estimated'), unknownCounts: 0 });
    const refused = callOf(PLAIN, (entry) => {
      withUsage({ prompt_tokens: 11, completion_tokens: 0 }, 499)(entry);
      entry.upstream_status = '429';
    });
    expect(refused).toBeUndefined();
  });

  test('the status of the cache is told', () => {
    const call = callOf(PLAIN, (entry) => {
      if (entry.ai?.proxy !== undefined) entry.ai.proxy.cache = { cache_status: 'Hit' };
    });
    expect(call?.cacheStatus).toBe('Hit');
  });
});

describe('an AI call', () => {
  test('is none in the entry of another request', () => {
    expect(callOf(NO_AI)).toBeUndefined();
  });

  test('without statistics, told by its header alone, has two unknown counts', () => {
    const call = callOf(PLAIN, (entry) => delete entry.ai);
    expect(call).toMatchObject({ counts: [], unknownCounts: 2 });
    expect(call?.unknownReason).toContain('log_statistics');
  });

  test('that failed without statistics is none', () => {
    const call = callOf(PLAIN, (entry) => {
      delete entry.ai;
      entry.response.status = 503;
    });
    expect(call).toBeUndefined();
  });

  test('of a transformer is one beside the proxied one, with ids of its own', () => {
    const calls = callsOf(recording(PLAIN).json, (entry) => {
      const own = { usage: { prompt_tokens: 30, completion_tokens: 6, total_tokens: 36 }, meta: { plugin_id: 'p' } };
      entry.ai = { ...entry.ai, 'ai-request-transformer': own, 'ai-response-transformer': { meta: {}, usage: {} } };
    });
    expect(calls).toMatchObject([
      { pluginName: 'ai-proxy', idPart: undefined, counts: known(11, 4) },
      { pluginName: 'ai-request-transformer', idPart: 'ai-request-transformer', counts: known(30, 6) },
      { pluginName: 'ai-response-transformer', idPart: 'ai-response-transformer', counts: [], unknownCounts: 2 },
    ]);
  });
});

describe('as a real gateway logged it,', () => {
  test.each([
    ['a plain answer', 't002', known(11, 4), 0],
    ['a plain answer without usage', '2nousage', known(5, 0, 'estimated'), 0],
    ['a stream with its payload', '3full-slow', known(9, 3, 'estimated'), 0],
    ['a stream that broke off', '2abort-stream-log', [], 2],
    ['a stream of Anthropic that broke off', '2claude-abort', [], 2],
    ['a stream that ended without a count', '2gem-stream', [], 2],
    ['a buffered stream whose client went away', '2client-abort-mid-log', [], 2],
    ['a stream of Anthropic whose client went away', '2claude-client-abort-mid', [], 2],
  ])('%s is counted as what it is', (_what, name, counts, unknownCounts) => {
    expect(callsOf(aiCase(name))).toMatchObject([{ counts, unknownCounts }]);
  });

  /** Kong 3.9.1 counts once more what came in the last read from the provider. */
  test.each([
    ['a stream that came in one read', 'stream-at-once-log', [9, 3], 'estimated'],
    ['a stream of Anthropic that came in one read', 'claude-at-once-log', [12, 7], 'estimated'],
    ['the same where the text is not logged, which shows nothing of it', 'claude-at-once', [24, 15], 'estimated'],
    ['a stream of Anthropic whose end came in one read', 'claude-end-at-once', [12, 14], 'estimated'],
    ['a stream whose count is in its last event', 'cohere', [16, 10], 'estimated'],
    ['the same on a gateway that counts it once', 'cohere-counted-once', [8, 5], 'reported'],
  ] as const)(
    '%s is reported only where it cannot have been counted twice',
    (_what, name, [request, response], count) => {
      expect(callsOf(aiCase(name))).toMatchObject([{ counts: known(request, response, count), unknownCounts: 0 }]);
    },
  );

  test("a stream of Anthropic on a gateway that counts it once has the provider's prompt", () => {
    expect(callsOf(aiCase('claude-counted-once'))).toMatchObject([
      {
        counts: [
          { type: 'request', tokens: 12, count: 'reported' },
          { type: 'response', tokens: 7, count: 'estimated' },
        ],
      },
    ]);
  });

  test('a call whose client went away before anything was answered has two unknown counts', () => {
    const [call] = callsOf(aiCase('client-abort-before-answer'));
    expect(call).toMatchObject({ counts: [], unknownCounts: 2 });
    expect(call?.unknownReason).toContain('before anything was answered');
  });

  test.each([
    ['of another kind', { method: 'GET' }, {}],
    ['without JSON', {}, { 'content-type': 'text/plain' }],
  ])('a request %s whose client went away before anything was answered is no AI call', (_what, request, headers) => {
    const entry = JSON.parse(aiCase('client-abort-before-answer')) as { request: { headers: object } };
    Object.assign(entry.request.headers, headers);
    Object.assign(entry.request, request);
    expect(callsOf(JSON.stringify(entry))).toEqual([]);
  });

  test.each([
    ['refused by the provider', '2err429-stream'],
    ['refused by the gateway for its body', 'badbody'],
  ])('a call that was %s owes nothing', (_what, name) => {
    expect(callsOf(aiCase(name))).toEqual([]);
  });
});
