import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Registry } from 'prom-client';

export interface HttpServer {
  /** host:port as it listens. */
  readonly address: string;
  close(): Promise<void>;
}

/** Why it is not ready; empty = it is. */
export type Readiness = () => readonly string[];

const REQUEST_TIMEOUT_MS = 5000;
/** Without it those times are looked at twice a minute. */
const CHECK_MS = 1000;
const MAX_CONNECTIONS = 64;

/**
 * `/ping` and `/healthz` (the process is alive), `/ready` (503 with the reasons) and `/metrics`. Nothing of it is secret, and
 * nothing of it changes anything.
 */
export async function startHttpServer(
  address: { readonly host: string; readonly port: number },
  metrics: Registry,
  readiness: Readiness,
): Promise<HttpServer> {
  const times = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  const server = createServer({ ...times, connectionsCheckingInterval: CHECK_MS }, (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n');
    if (path === '/ping' || path === '/healthz') return answer(response, 200, 'ok\n');
    if (path === '/ready') {
      const reasons = readiness();
      return answer(
        response,
        reasons.length === 0 ? 200 : 503,
        reasons.length === 0 ? 'ready\n' : `${reasons.join('\n')}\n`,
      );
    }
    if (path !== '/metrics') return answer(response, 404, 'not found\n');
    metrics.metrics().then(
      (text) => answer(response, 200, text, metrics.contentType),
      () => answer(response, 500, 'the metrics cannot be read\n'),
    );
  });
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    // Who keeps connections and asks nothing must not keep out who asks whether the process is alive: the oldest goes.
    const [oldest] = open;
    if (open.size >= MAX_CONNECTIONS) oldest?.destroy();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await listen(server, address);
  const { address: host, port, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(text);
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
