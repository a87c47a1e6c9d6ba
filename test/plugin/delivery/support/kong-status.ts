import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Kong's Status API, as far as its count of requests goes, which has those for the status itself in it. */
export interface KongStatus {
  readonly url: URL;
  /** Requests that Kong has begun since it started. */
  total: number;
  /** Requests that are not over, those for the status left out. */
  writing: number;
  workers: number[];
  /** How often it was asked. */
  readonly asked: number;
  readonly connections: number;
  /** Answers the next ones, one each, in place of the count. */
  readonly instead: ((response: ServerResponse) => void)[];
}

export async function startKongStatus(): Promise<KongStatus> {
  const state = { total: 1000, writing: 0, workers: [] as number[], asked: 0, connections: 0, instead: [] as KongStatus['instead'] };
  const server = createServer((request, response) => {
    state.total++;
    state.asked++;
    const other = state.instead.shift();
    if (other !== undefined) return other(response);
    if (request.url !== '/status') return response.writeHead(404).end();
    // Kong 3.9 without a database, less the memory of its workers.
    const counts = {
      connections_active: 1,
      connections_reading: 0,
      connections_writing: state.writing + 1,
      connections_waiting: 0,
      connections_accepted: state.total,
      connections_handled: state.total,
      total_requests: state.total,
    };
    const memory = { workers_lua_vms: state.workers.map((pid) => ({ pid, http_allocated_gc: '30.00 MiB' })) };
    response.setHeader('content-type', 'application/json; charset=utf-8');
    return response.end(JSON.stringify({ configuration_hash: '0'.repeat(32), memory, server: counts }));
  });
  server.on('connection', () => state.connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/status`);
  return Object.assign(state, { url });
}
