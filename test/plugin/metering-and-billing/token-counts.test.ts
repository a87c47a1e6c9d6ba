import { describe, expect, test } from 'vitest';
import { parseLogEntry } from '../../../plugin/metering-and-billing/log-entry.ts';
import { type AiCall, findAiCall } from '../../../plugin/metering-and-billing/token-counts.ts';
import { recording } from '../../gateway-player/index.ts';

const PLAIN = '64ad5366269eef4879482e4397912d67';
const STREAM_WITHOUT_PAYLOAD = 'e8d0c46f7969b542e10227767f169d03';
const NO_AI = '1241ae52f620917729ded05c653a733c';

interface Entry {
  ai?: { proxy?: { usage?: object; payload?: { response: unknown }; cache?: object }; [key: string]: unknown };
  response: { status: number; headers: Record<string, string> };
}

/** The AI call of a recording after a change to it. */
function callOf(requestId: string, change: (entry: Entry) => void = () => undefined): AiCall | undefined {
  const entry = JSON.parse(recording(requestId).json) as Entry;
  change(entry);
  const parsed = parseLogEntry(JSON.stringify(entry));
  if (parsed === undefined) throw new Error('the recording is no log entry');
  return findAiCall(parsed);
}

const withUsage =
  (usage: object | undefined, status = 200) =>
  (entry: Entry): void => {
    if (entry.ai?.proxy === undefined) throw new Error('no AI call');
    if (usage === undefined) delete entry.ai.proxy.usage;
    else entry.ai.proxy.usage = usage;
    entry.response.status = status;
  };

const known = (request: number, response: number): object[] => [
  { direction: 'request', tokens: request },
  { direction: 'response', tokens: response },
];

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

  test('a plain answer of 0 tokens is a real zero', () => {
    const call = callOf(PLAIN, withUsage({ prompt_tokens: 11, completion_tokens: 0 }));
    expect(call).toMatchObject({ counts: known(11, 0), unknownCounts: 0 });
  });

  test('a streamed answer of 0 tokens without its payload is unknown', () => {
    expect(callOf(STREAM_WITHOUT_PAYLOAD)).toMatchObject({
      counts: [{ direction: 'request', tokens: 11 }],
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

  test('a streamed answer of 0 tokens with its payload is a real zero', () => {
    const call = callOf('efd25f4069fb392c327ae31fea1e5a36', withUsage({ prompt_tokens: 2, completion_tokens: 0 }));
    expect(call).toMatchObject({ counts: known(2, 0), unknownCounts: 0 });
  });

  test('a streamed answer without payload whose provider told the count is known', () => {
    const call = callOf(STREAM_WITHOUT_PAYLOAD, withUsage({ prompt_tokens: 11, completion_tokens: 42 }));
    expect(call).toMatchObject({ counts: known(11, 42), unknownCounts: 0 });
  });

  test.each([4.5, -1, '4', true, 1e300, Number.MAX_SAFE_INTEGER + 2])('%j is no count', (value) => {
    const call = callOf(PLAIN, withUsage({ prompt_tokens: 11, completion_tokens: value }));
    expect(call).toMatchObject({ counts: [{ direction: 'request', tokens: 11 }], unknownCounts: 1 });
  });

  test.each([[{}], [undefined]])('usage %j of an answer that succeeded is unknown', (usage) => {
    expect(callOf(PLAIN, withUsage(usage))).toMatchObject({ counts: [], unknownCounts: 2 });
  });

  test.each([[{}], [undefined]])('usage %j of a failed call is nothing', (usage) => {
    for (const status of [400, 429, 500]) {
      expect(callOf(PLAIN, withUsage(usage, status))).toMatchObject({ counts: [], unknownCounts: 0 });
    }
  });

  test('counts of a failed call are counts', () => {
    const call = callOf(PLAIN, withUsage({ prompt_tokens: 11, completion_tokens: 0 }, 502));
    expect(call).toMatchObject({ counts: known(11, 0), unknownCounts: 0 });
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
});
