import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { closeServer, type ListenAddress, type Listener, listen, type TlsFiles } from './listening.ts';
import { encodeResponse, encodeStatus, type PartialSuccess } from './otlp-messages.ts';
import type { Received } from './received.ts';
import type { Receiver } from './receiver.ts';
import { readBody } from './request-body.ts';
import type { Signal } from './signal.ts';
import { isAllowed } from './tokens.ts';

export interface HttpReceiverOptions {
  readonly address: ListenAddress;
  readonly tls: TlsFiles | undefined;
  readonly token: string | undefined;
  /** Within it a request has to come in. */
  readonly timeoutMs: number;
  readonly receiver: Receiver;
  /** By their paths. */
  readonly signals: Signals;
  /** Told of what is not taken, traces for example. */
  readonly onOther: (path: string) => void;
}

export type Signals = ReadonlyMap<string, Signal>;

/** What clients wait before they send the same again. */
const RETRY_AFTER_SECONDS = 2;
/** gRPC's codes, which OTLP's error bodies have in HTTP as well. */
const CODES = { invalid: 3, busy: 14, denied: 16, other: 12 } as const;
const MAX_HEADER_BYTES = 16 * 1024;
/** Without it the times of requests are looked at twice a minute, and what slow ones hold keeps out others for as long. */
const CHECK_MS = 1000;
const MAX_CONNECTIONS = 1000;

/** OTLP over HTTP: `POST /v1/logs` and `/v1/metrics` with protobuf or JSON, plain or gzip. */
export async function startHttpReceiver(options: HttpReceiverOptions): Promise<Listener> {
  const { address, tls, timeoutMs } = options;
  const times = { requestTimeout: timeoutMs, headersTimeout: timeoutMs, connectionsCheckingInterval: CHECK_MS };
  const settings = { ...times, maxHeaderSize: MAX_HEADER_BYTES };
  const handle = (request: IncomingMessage, response: ServerResponse) => void answer(request, response, options);
  const server = tls === undefined ? createServer(settings, handle) : createTlsServer({ ...settings, ...tls }, handle);
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, address);
  const end = { gently: () => server.closeIdleConnections(), hard: () => server.closeAllConnections() };
  return { port, close: (clock, withinMs) => closeServer(server, end, clock, withinMs) };
}

interface Reply {
  readonly status: number;
  readonly code?: number;
  readonly message?: string;
  readonly partial?: PartialSuccess;
  readonly retryAfterSeconds?: number;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpReceiverOptions): Promise<void> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const format = type === 'application/json' ? 'json' : 'protobuf';
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const signal = options.signals.get(path);
  if (signal === undefined) options.onOther(path);
  const refusal = signal === undefined ? notTaken(options.signals) : refusalOf(request, type, options);
  const reply = refusal ?? (await received(request, format, options, signal as Signal));
  const { status, code = 0, message = '', partial, retryAfterSeconds } = reply;
  // What was not read of a request would be taken for the next one.
  if (!request.complete) response.setHeader('connection', 'close');
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  response.writeHead(status, { 'content-type': format === 'json' ? 'application/json' : 'application/x-protobuf' });
  if (format === 'json') response.end(jsonOf(reply, signal));
  else response.end(partial ? encodeResponse(partial) : encodeStatus(code, message));
}

function jsonOf({ code = 0, message = '', partial }: Reply, signal: Signal | undefined): string {
  if (partial === undefined || signal === undefined) return JSON.stringify({ code, message });
  if (partial.rejected === 0) return '{}';
  // OTLP's JSON writes 64-bit integers as texts.
  return JSON.stringify({
    partialSuccess: { [signal.rejected]: String(partial.rejected), errorMessage: partial.message },
  });
}

function notTaken(signals: Signals): Reply {
  return { status: 404, code: CODES.other, message: `only ${[...signals.keys()].join(' and ')} is taken here` };
}

function refusalOf(
  request: IncomingMessage,
  type: string | undefined,
  options: HttpReceiverOptions,
): Reply | undefined {
  if (request.method !== 'POST') return { status: 405, code: CODES.other, message: 'only POST is taken here' };
  if (!isAllowed(request.headers.authorization, options.token)) {
    return { status: 401, code: CODES.denied, message: 'the token is missing or wrong' };
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (type !== 'application/json' && type !== 'application/x-protobuf') {
    return { status: 415, code: CODES.invalid, message: 'must be application/json or application/x-protobuf' };
  }
  if (encoding !== 'gzip' && encoding !== 'identity') {
    return { status: 415, code: CODES.invalid, message: 'the content encoding must be gzip or identity' };
  }
  return undefined;
}

async function received(
  request: IncomingMessage,
  format: 'json' | 'protobuf',
  { receiver }: HttpReceiverOptions,
  signal: Signal,
): Promise<Reply> {
  const read = await readBody(request, receiver, receiver.maxMessageBytes);
  if (read.kind === 'broken off') return { status: 400, code: CODES.invalid, message: 'the request broke off' };
  if (read.kind === 'refused') return replyOf(read.refusal);
  try {
    return replyOf(await receiver.receive(read.body, format, request.headers['content-encoding'] === 'gzip', signal));
  } finally {
    read.release();
  }
}

function replyOf(received: Received): Reply {
  switch (received.kind) {
    case 'taken':
      return { status: 200, partial: received };
    case 'invalid':
      return { status: 400, code: CODES.invalid, message: received.message };
    case 'too large':
      return { status: 413, code: CODES.invalid, message: received.message };
    case 'busy':
      return { status: 503, code: CODES.busy, message: received.message, retryAfterSeconds: RETRY_AFTER_SECONDS };
  }
}
