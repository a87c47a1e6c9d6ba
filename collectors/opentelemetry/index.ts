import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { address, duration, token, wholeNumber } from '../config/values.ts';
import type { Source, SourceContext } from '../core/source.ts';
import { type SourceSurroundings, sourceKind } from '../core/source-kind.ts';
import { startGrpcReceiver } from './grpc-receiver.ts';
import { startHttpReceiver } from './http-receiver.ts';
import type { Listener, TlsFiles } from './listening.ts';
import { createReceiver } from './receiver.ts';

const MIB = 1024 * 1024;

const schema = z
  .strictObject({
    address: address.default({ host: '127.0.0.1', port: 4317 }),
    timeout: duration(100, 3_600_000).default(5000),
    http_address: address.optional(),
    token: token.optional(),
    max_message_bytes: wholeNumber(1024, 64 * MIB).default(16 * MIB),
    id_attribute: z.string().min(1).max(256).optional(),
    tls: z.strictObject({ cert_file: z.string().min(1), key_file: z.string().min(1) }).optional(),
  })
  .transform(({ http_address, max_message_bytes, id_attribute, tls, timeout, ...rest }) => ({
    ...rest,
    httpAddress: http_address,
    maxMessageBytes: max_message_bytes,
    idAttribute: id_attribute,
    tls,
    timeoutMs: timeout,
  }));

type Settings = z.output<typeof schema>;

/** Requests under way are finished within this, when the process is asked to end. */
const CLOSE_MS = 5000;

/**
 * OTLP logs, pushed over gRPC and HTTP. A request is answered when its events are on disk, whatever becomes of the backend;
 * when there is no room, the client is asked to come again. There is no cursor: who pushes has one.
 */
export const otelLog = sourceKind<Settings>({ schema, create });

function create(settings: Settings, { log }: SourceSurroundings): Source {
  return { run: (context) => run(settings, context, log) };
}

async function run(settings: Settings, context: SourceContext, log: SourceSurroundings['log']): Promise<void> {
  const { clock, signal, once, rareLog, name } = context;
  const end = new AbortController();
  const receiver = createReceiver(settings, {
    ...context,
    async tryTake(step) {
      try {
        return await context.tryTake(step);
      } finally {
        // Who pushes never says that this was all: with --once one request is.
        if (once) end.abort();
      }
    },
  });
  const options = {
    receiver,
    clock,
    tls: settings.tls && readTls(settings.tls),
    token: settings.token,
    timeoutMs: settings.timeoutMs,
    onOther: (path: string) =>
      rareLog.note({
        key: `${name} other`,
        level: 'warn',
        msg: 'only logs are taken; metrics and traces are not',
        fields: { path: path.slice(0, 100) },
      }),
  };
  const listeners: Listener[] = [];
  try {
    const grpc = await startGrpcReceiver({ ...options, address: settings.address });
    listeners.push(grpc);
    const http = settings.httpAddress && (await startHttpReceiver({ ...options, address: settings.httpAddress }));
    if (http !== undefined) listeners.push(http);
    context.report({ isReached: true });
    log('info', 'taking OTLP logs', { collector: name, grpc: grpc.port, http: http?.port });
    await aborted(AbortSignal.any([signal, end.signal]));
  } finally {
    await Promise.all(listeners.map((listener) => listener.close(clock, CLOSE_MS)));
  }
}

/** @throws Error that names the file that cannot be read */
function readTls({ cert_file: cert, key_file: key }: { cert_file: string; key_file: string }): TlsFiles {
  const read = (file: string) => {
    try {
      return readFileSync(file);
    } catch {
      throw new Error(`${file} cannot be read`);
    }
  };
  return { cert: read(cert), key: read(key) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
