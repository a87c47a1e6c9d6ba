import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { ClientGone, RequestProblem } from '../errors.ts';
import type { BodyAccount, BodyBudget } from './body-budget.ts';
import type { AppEnv } from './env.ts';
import { tellToContinue } from './expect-continue.ts';

const unzip = promisify(gunzip);

/**
 * Lets handlers read their requests' bodies, and nobody else: a request is routed and its caller known before a byte of
 * its body is waited for, and what reads none takes none. Bytes count against the budget until the request is answered.
 * @param maxBytes of one body, unpacked
 */
export function readableBodies(maxBytes: number, budget: BodyBudget): MiddlewareHandler<AppEnv> {
  return async function readableBodies(c, next) {
    let account: BodyAccount | undefined;
    const open = () => {
      account = budget.open({ connection: incomingOf(c)?.socket, tokenId: c.get('caller')?.tokenId });
      return account;
    };
    c.set('bodies', { maxBytes, open });
    try {
      await next();
    } finally {
      account?.close();
    }
  };
}

const UNCOUNTED: BodyAccount = { take: () => {}, close: () => {} };

/**
 * Reads the request's body, once, unpacked. Where nobody calls this, no byte is waited for.
 * @param ownMaxBytes of this operation; default what any body may have
 * @throws RequestProblem 413 over the limit, by Content-Length or by counting; 415 for an encoding other than gzip; 503
 * @throws ClientGone when the client has gone before the end of it
 */
export async function readBody(
  c: Context<AppEnv>,
  ownMaxBytes: number = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  const bodies = c.get('bodies');
  const maxBytes = Math.min(ownMaxBytes, bodies?.maxBytes ?? ownMaxBytes);
  const account = bodies?.open() ?? UNCOUNTED;
  const isZipped = isGzip(c.req.header('content-encoding'));
  const length = Number.parseInt(c.req.header('content-length') ?? '', 10);
  if (length > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(c)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    account.take(chunk.length);
    chunks.push(chunk);
  }
  const [only] = chunks;
  const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  return isZipped ? unpacked(bytes, maxBytes, account) : bytes;
}

async function unpacked(bytes: Uint8Array, maxBytes: number, account: BodyAccount): Promise<Uint8Array> {
  try {
    const all = await unzip(bytes, { maxOutputLength: maxBytes });
    account.take(Math.max(0, all.length - bytes.length));
    return all;
  } catch (error) {
    if (error instanceof RequestProblem) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    const reason = 'the body is not gzip, as Content-Encoding says';
    throw new RequestProblem('bad-request', reason, [{ field: 'body', rule: 'invalid', reason, source: 'body' }]);
  }
}

function isGzip(header: string | undefined): boolean {
  const encoding = header?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new RequestProblem('unsupported-media-type', 'The Content-Encoding must be gzip, or none.');
}

/** From the socket, where there is one: a web stream of it costs more than reading it. */
function chunksOf(c: Context<AppEnv>): AsyncIterable<Uint8Array> {
  const incoming = incomingOf(c);
  return incoming === undefined ? streamed(c.req.raw.body) : received(incoming);
}

async function* received(incoming: IncomingMessage): AsyncIterable<Uint8Array> {
  tellToContinue(incoming);
  try {
    // The connection is needed for the answer where reading ends early.
    yield* incoming.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw incoming.readableAborted || incoming.destroyed ? new ClientGone() : error;
  }
}

async function* streamed(body: ReadableStream<Uint8Array> | null): AsyncIterable<Uint8Array> {
  if (body !== null) yield* body;
}

function incomingOf(c: Context<AppEnv>): IncomingMessage | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming as IncomingMessage | undefined;
}

function tooLarge(maxBytes: number): RequestProblem {
  return new RequestProblem('content-too-large', `The body is larger than ${maxBytes} bytes.`);
}
