import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint that speaks the chat APIs of OpenAI and Anthropic; what it answers is chosen by the path. */
export interface Models {
  readonly port: number;
  /** Calls of a path that have arrived. */
  asked(path: string): number;
  close(): void;
}

type Answer = (response: ServerResponse) => void;

/** Until then the client has gone. */
const LATE_MS = 1000;
const CREATED = 1_764_500_000;
const OPENAI_USAGE = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 };

/** What each path answers. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  '/openai/plain': json(200, completion({ usage: OPENAI_USAGE })),
  '/openai/no-usage': json(200, completion({})),
  '/openai/429': json(429, { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } }),
  '/openai/400': json(400, { error: { message: 'Bad request', type: 'invalid_request_error' } }),
  '/openai/stream': stream([...openAiChunks(), '[DONE]']),
  '/openai/stream-usage': stream([...openAiChunks(), usageChunk(), '[DONE]']),
  '/openai/breaks': stream(openAiChunks(), 'break'),
  '/openai/hangs': stream(openAiChunks(), 'hang'),
  '/openai/silent': () => undefined,
  '/openai/late': (response) => setTimeout(() => json(200, completion({ usage: OPENAI_USAGE }))(response), LATE_MS),
  '/anthropic/plain': json(200, {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-3-haiku-20240307',
    content: [{ type: 'text', text: 'Hello there!' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 12, output_tokens: 7 },
  }),
  '/openai/slow': stream([...openAiChunks(), usageChunk(), '[DONE]'], 'apart'),
  '/anthropic/stream': stream(anthropicEvents()),
  '/anthropic/slow': stream(anthropicEvents(), 'apart'),
  '/cohere/stream': stream(cohereEvents()),
  '/anthropic/slow-start': stream(anthropicEvents(), 'end apart'),
};

export async function startModels(): Promise<Models> {
  const asked = new Map<string, number>();
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    request.resume().on('end', () => {
      asked.set(path, (asked.get(path) ?? 0) + 1);
      const answer = ANSWERS[path];
      if (answer === undefined) response.writeHead(404).end();
      else answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked: (path) => asked.get(path) ?? 0,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function json(status: number, body: object): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

/** In which pieces Kong reads a stream, and how it ends. */
type Manner = 'at once' | 'apart' | 'end apart' | 'break' | 'hang';

/** So long between two pieces, each is a read of its own. */
const APART_MS = 60;

/** The events of Anthropic have names. */
function stream(events: readonly (object | string)[], manner: Manner = 'at once'): Answer {
  const texts = events.map((event) => {
    // Those of Cohere are bare lines.
    if (typeof event === 'object' && 'event_type' in event) return `${JSON.stringify(event)}\n`;
    const name = typeof event === 'object' && 'type' in event ? `event: ${event.type}\n` : '';
    return `${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
  });
  const rest = manner === 'apart' ? texts.length : manner === 'end apart' ? 2 : 0;
  const pieces = manner === 'apart' ? texts : [texts.slice(0, -2), texts.slice(-2)].map((few) => few.join(''));
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (rest === 0) response.write(texts.join(''));
    else for (const [index, piece] of pieces.entries()) setTimeout(() => response.write(piece), index * APART_MS);
    if (manner === 'break') response.write('', () => setImmediate(() => response.destroy()));
    else if (manner !== 'hang') setTimeout(() => response.end(), rest * APART_MS);
  };
}

function completion(more: object): object {
  const message = { role: 'assistant', content: 'Hello there!' };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: CREATED,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    ...more,
  };
}

function openAiChunks(): object[] {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: CREATED,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const texts = ['Hello', ' there', '!'].map((content) => chunk({ content }));
  return [chunk({ role: 'assistant', content: '' }), ...texts, chunk({}, 'stop')];
}

function usageChunk(): object {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: CREATED };
  return { ...head, model: 'gpt-4o-mini-2024-07-18', choices: [], usage: OPENAI_USAGE };
}

function anthropicEvents(): object[] {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-3-haiku-20240307',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 12, output_tokens: 1 },
  };
  const delta = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
  return [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...['Hello', ' there', '!'].map(delta),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
}

function cohereEvents(): object[] {
  const texts = ['Hello', ' there', '!'].map((text) => ({ event_type: 'text-generation', text }));
  const billed_units = { input_tokens: 8, output_tokens: 5 };
  return [
    { event_type: 'stream-start', generation_id: 'generation-1' },
    ...texts,
    { event_type: 'stream-end', finish_reason: 'COMPLETE', response: { meta: { billed_units } } },
  ];
}
