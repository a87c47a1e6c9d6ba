import { request as startRequest } from 'node:http';

/** What the client of one call does. */
export interface Call {
  readonly path: string;
  /** Stands in the log entry, in the header `x-case`. */
  readonly name: string;
  readonly body?: string | undefined;
  readonly isStreamed?: boolean;
  /** When this resolves, the client leaves. */
  readonly leaveWhen?: PromiseLike<unknown> | undefined;
}

const CHAT = { messages: [{ role: 'user', content: 'Say this is a test!' }] };

/** Calls a model as alice. Resolves with the status; with undefined when the client left first. */
export async function callModel(
  port: number,
  { path, name, body, isStreamed, leaveWhen }: Call,
): Promise<number | undefined> {
  const text = body ?? JSON.stringify({ ...CHAT, ...(isStreamed && { stream: true }) });
  const headers = {
    apikey: 'alice-key',
    'x-case': name,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  const request = startRequest({ port, path, host: '127.0.0.1', method: 'POST', headers, agent: false });
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  let status: number | undefined;
  // 'close' follows.
  request.on('error', () => undefined).on('close', isGone);
  request.on('response', (response) => {
    response.on('error', () => undefined).resume();
    response.on('end', () => {
      status = response.statusCode;
    });
  });
  request.end(text);
  leaveWhen?.then(() => request.destroy());
  await gone;
  return status;
}
