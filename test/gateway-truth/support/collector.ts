import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint that takes everything and remembers it. */
export interface Collector {
  readonly url: string;
  /** How often each event has arrived, by its id. */
  readonly ids: ReadonlyMap<string, number>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** What was told of the requests that the gateway served, the last one at the end. */
  readonly accounts: readonly ToldAccount[];
  close(): void;
}

export interface ToldAccount {
  readonly account: string;
  readonly served: number;
  readonly metered: number;
  readonly notMetered: string;
  readonly unexplained: number;
}

export async function startCollector(): Promise<Collector> {
  const ids = new Map<string, number>();
  const events: Record<string, unknown>[] = [];
  const accounts: ToldAccount[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const batch = JSON.parse(Buffer.concat(chunks).toString() || '[]') as Record<string, unknown>[];
      for (const event of batch) {
        const id = String(event['id']);
        ids.set(id, (ids.get(id) ?? 0) + 1);
        events.push(event);
      }
      const account = accountOf(request.headers);
      if (account !== undefined) accounts.push(account);
      // As a backend answers that knows what it is told.
      response.setHeader('preference-applied', 'handling=lenient');
      response.setHeader('content-type', 'application/json');
      response.statusCode = 202;
      response.end('{"rejected":[]}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v3/openmeter/events`,
    ids,
    events,
    accounts,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function accountOf(headers: IncomingHttpHeaders): ToldAccount | undefined {
  const { 'metering-account': account } = headers;
  if (typeof account !== 'string') return undefined;
  const count = (name: string) => Number.parseInt(String(headers[`metering-requests-${name}`]), 10);
  const notMetered = String(headers['metering-requests-not-metered'] ?? '');
  return { account, served: count('served'), metered: count('metered'), notMetered, unexplained: count('unexplained') };
}
