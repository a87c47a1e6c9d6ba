import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { address, duration, token, wholeNumber } from '../config/values.ts';
import type { Source, SourceContext } from '../core/source.ts';
import { type SourceSurroundings, sourceKind } from '../core/source-kind.ts';
import { startGrpcReceiver } from './grpc-receiver.ts';
import { startHttpReceiver } from './http-receiver.ts';
import type { Listener, TlsFiles } from './listening.ts';
import { createMetrics } from './metrics.ts';
import { createReceiver, type Receiver } from './receiver.ts';
import { createLogs, type Signal } from './signal.ts';

const MIB = 1024 * 1024;

const schema = z
  .strictObject({
    address: address.default({ host: '127.0.0.1', port: 4317 }),
    timeout: duration(100, 3_600_000).default(5000),
    http_address: address.optional(),
    token: token.optional(),
    max_message_bytes: wholeNumber(1024, 64 * MIB).default(16 * MIB),
    id_attribute: z.string().min(1).max(256).optional(),
    signals: z
      .array(z.enum(['logs', 'metrics'], { error: 'must be logs or metrics' }))
      .min(1)
      .default(['logs']),
    max_series: wholeNumber(1, 10_000_000).default(100_000),
    tls: z.strictObject({ cert_file: z.string().min(1), key_file: z.string().min(1) }).optional(),
  })
  .transform(({ http_address, max_message_bytes, id_attribute, max_series, signals, tls, timeout, ...rest }) => ({
    ...rest,
    signals: [...new Set(signals)].toSorted(),
    maxSeries: max_series,
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
 * OTLP logs and metrics, pushed over gRPC and HTTP. A request is answered when its events are on disk, whatever becomes of the
 * backend; when there is no room, the client is asked to come again. Who pushes has the cursor; of cumulative metrics the last
 * values are kept, to tell what came since.
 */
export const otelLog = sourceKind<Settings>({ schema, create });

function create(settings: Settings, { log }: SourceSurroundings): Source {
  return { run: (context) => run(settings, context, log) };
}

async function run(settings: Settings, context: SourceContext, log: SourceSurroundings['log']): Promise<void> {
  const { clock, signal, once, rareLog, name } = context;
  const end = new AbortController();
  const signals = signalsOf(settings, context);
  const options = {
    receiver: ending(createReceiver(settings.maxMessageBytes), () => once && end.abort()),
    clock,
    tls: settings.tls && readTls(settings.tls),
    token: settings.token,
    timeoutMs: settings.timeoutMs,
    onOther: (path: string) =>
      rareLog.note({
        key: `${name} other`,
        level: 'warn',
        msg: `only ${settings.signals.join(' and ')} are taken`,
        fields: { path: path.slice(0, 100) },
      }),
  };
  const byPath = (pathOf: (one: Signal) => string) => new Map(signals.map((one) => [pathOf(one), one]));
  const listeners: Listener[] = [];
  try {
    const grpcSignals = byPath(({ name: own }) => GRPC_PATHS[own]);
    const grpc = await startGrpcReceiver({ ...options, signals: grpcSignals, address: settings.address });
    listeners.push(grpc);
    const httpSignals = byPath(({ name: own }) => `/v1/${own}`);
    const http =
      settings.httpAddress &&
      (await startHttpReceiver({ ...options, signals: httpSignals, address: settings.httpAddress }));
    if (http !== undefined) listeners.push(http);
    context.report({ isReached: true });
    const taking = `taking OTLP ${settings.signals.join(' and ')}`;
    log('info', taking, { collector: name, grpc: grpc.port, http: http?.port });
    await aborted(AbortSignal.any([signal, end.signal]));
  } finally {
    await Promise.all(listeners.map((listener) => listener.close(clock, CLOSE_MS)));
  }
}

const GRPC_PATHS = {
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
} as const;

function signalsOf({ signals, idAttribute, maxSeries }: Settings, context: SourceContext): readonly Signal[] {
  const make = {
    logs: () => createLogs(context, idAttribute),
    metrics: () => createMetrics(context, maxSeries),
  } as const;
  return signals.map((name) => make[name]());
}

/** Who pushes never says that this was all: with --once one request is. */
function ending(receiver: Receiver, onRequest: () => void): Receiver {
  return { ...receiver, receive: (...request) => receiver.receive(...request).finally(onRequest) };
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
