import { createServer, type Server } from 'node:http';
import type { Clock } from '../../delivery/clock.ts';
import type { Fields } from '../../delivery/log.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import { PROMETHEUS_TYPE } from './prometheus.ts';

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export interface MetricsServerOptions {
  readonly address: MetricsAddress;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly read: () => string;
}

export interface MetricsServer {
  /** Where it listens; undefined while it does not. */
  readonly address: MetricsAddress | undefined;
  close(): void;
}

/** The old process of a reload has the port until it ends. */
const TRY_AGAIN_MS = 5000;
/** A scraper asks for a page of text; whoever takes longer for that holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 16;

/** Answers `GET /metrics`. Keeps no process alive, and never throws: where it cannot listen, it says so and tries again. */
export function startMetricsServer({ address, clock, rareLog, read }: MetricsServerOptions): MetricsServer {
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET' }).end();
    else response.writeHead(200, { 'content-type': PROMETHEUS_TYPE }).end(read());
  });
  let isClosed = false;
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.unref();
  server.on('connection', (socket) => socket.unref());
  server.on('error', (error: NodeJS.ErrnoException) => {
    const fields: Fields = { host: address.host, port: address.port, code: error.code };
    rareLog.note({ key: 'metrics', level: 'warn', msg: 'the metrics cannot be served', fields });
    clock.setTimer(listen, TRY_AGAIN_MS, { background: true });
  });

  function listen(): void {
    if (!isClosed) server.listen(address.port, address.host).unref();
  }

  listen();
  return {
    get address() {
      return listeningAt(server);
    },
    close() {
      isClosed = true;
      server.close();
      server.closeAllConnections();
    },
  };
}

function listeningAt(server: Server): MetricsAddress | undefined {
  const at = server.address();
  return at === null || typeof at === 'string' ? undefined : { host: at.address, port: at.port };
}
