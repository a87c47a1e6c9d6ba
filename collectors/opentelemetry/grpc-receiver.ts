import {
  constants,
  createSecureServer,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Clock } from '../../delivery/clock.ts';
import { closeServer, type ListenAddress, type Listener, listen, type TlsFiles } from './listening.ts';
import { encodeResponse, encodeStatus } from './otlp-messages.ts';
import type { Received } from './received.ts';
import type { Receiver } from './receiver.ts';
import { readBody } from './request-body.ts';
import type { Signal } from './signal.ts';
import { isAllowed } from './tokens.ts';

export interface GrpcReceiverOptions {
  readonly address: ListenAddress;
  readonly tls: TlsFiles | undefined;
  readonly token: string | undefined;
  /** Within it a call has to come in. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly receiver: Receiver;
  /** By their paths. */
  readonly signals: ReadonlyMap<string, Signal>;
  /** Told of what is not taken, traces for example. */
  readonly onOther: (path: string) => void;
}

const STATUS = { invalid: 3, exhausted: 8, unimplemented: 12, unavailable: 14, unauthenticated: 16 } as const;
/** Compressed or not, and four bytes of length. */
const FRAME_HEADER_BYTES = 5;
const RETRY_AFTER_SECONDS = 2;
const MAX_STREAMS = 100;
const MAX_CONNECTIONS = 1000;
/** A window of the protocol's 64 KiB costs a turn to and fro for each of them. */
const WINDOW_BYTES = 1024 * 1024;

/** OTLP over gRPC: unary `LogsService/Export` and `MetricsService/Export`, plain or gzip, on HTTP/2 itself. */
export async function startGrpcReceiver(options: GrpcReceiverOptions): Promise<Listener> {
  const { address, tls } = options;
  const settings = { settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: WINDOW_BYTES } };
  const server = tls === undefined ? createServer(settings) : createSecureServer({ ...settings, ...tls });
  const sessions = new Set<Http2Session>();
  server.maxConnections = MAX_CONNECTIONS;
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(WINDOW_BYTES);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('sessionError', () => {
    // A client that is no gRPC, or is gone: its session ends, and nobody else has to do with it.
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.close());
    void answer(stream, headers, options);
  });
  const port = await listen(server, address);
  const end = {
    gently() {
      for (const session of sessions) session.close();
    },
    hard() {
      for (const session of sessions) session.destroy();
    },
  };
  return { port, close: (clock, withinMs) => closeServer(server, end, clock, withinMs) };
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: GrpcReceiverOptions) {
  const path = headers[':path'] ?? '';
  const signal = options.signals.get(path);
  if (signal === undefined) {
    options.onOther(path);
    const names = [...options.signals.values()].map(({ name }) => name);
    return fail(stream, STATUS.unimplemented, `only ${names.join(' and ')} are taken here`);
  }
  if (!isAllowed(headers.authorization, options.token)) {
    return fail(stream, STATUS.unauthenticated, 'the token is missing or wrong');
  }
  const encoding = headers['grpc-encoding'] ?? 'identity';
  if (encoding !== 'gzip' && encoding !== 'identity') {
    return fail(stream, STATUS.unimplemented, 'the encoding must be gzip or identity');
  }
  const { receiver, clock, timeoutMs } = options;
  // What has come in of a call is held until all of it has: a few slow clients would keep out all others.
  const timer = clock.setTimer(() => stream.destroy(), timeoutMs);
  const read = await readBody(stream, receiver, receiver.maxMessageBytes + FRAME_HEADER_BYTES);
  timer.cancel();
  if (read.kind === 'broken off') return stream.close();
  if (read.kind === 'refused') return reply(stream, read.refusal);
  try {
    reply(stream, await receivedOf(read.body, encoding === 'gzip', receiver, signal));
  } finally {
    read.release();
  }
}

/** A unary call has one frame. */
async function receivedOf(bytes: Buffer, mayBeZipped: boolean, receiver: Receiver, signal: Signal): Promise<Received> {
  const isWhole = bytes.length >= FRAME_HEADER_BYTES && bytes.readUInt32BE(1) === bytes.length - FRAME_HEADER_BYTES;
  const isZipped = bytes[0] === 1;
  if (!isWhole || (isZipped && !mayBeZipped)) return { kind: 'invalid', message: 'the call has not one whole message' };
  return receiver.receive(bytes.subarray(FRAME_HEADER_BYTES), 'protobuf', isZipped, signal);
}

function reply(stream: ServerHttp2Stream, received: Received): void {
  const { kind } = received;
  if (kind === 'taken') succeed(stream, encodeResponse(received));
  else if (kind === 'invalid') fail(stream, STATUS.invalid, received.message);
  else if (kind === 'too large') fail(stream, STATUS.exhausted, received.message);
  else fail(stream, STATUS.unavailable, received.message, RETRY_AFTER_SECONDS);
}

function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(Buffer.concat([header, message]));
}

/** Trailers only: there are clients that do not retry an UNAVAILABLE that comes behind other headers. */
function fail(stream: ServerHttp2Stream, code: number, message: string, retryAfterSeconds?: number): void {
  if (stream.destroyed) return;
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': encodeURIComponent(message),
      ...(retryAfterSeconds !== undefined && {
        'grpc-status-details-bin': encodeStatus(code, message, retryAfterSeconds).toString('base64').replace(/=+$/, ''),
      }),
    },
    { endStream: true },
  );
  // Whatever is still to come of the request is not read, and the client is told that it need not be sent.
  stream.resume();
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
