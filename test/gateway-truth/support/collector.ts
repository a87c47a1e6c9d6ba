import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint that takes everything and remembers it. */
export interface Collector {
  readonly url: string;
  /** How often each event has arrived, by its id. */
  readonly ids: ReadonlyMap<string, number>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

export async function startCollector(): Promise<Collector> {
  const ids = new Map<string, number>();
  const events: Record<string, unknown>[] = [];
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
      response.statusCode = 202;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v3/openmeter/events`,
    ids,
    events,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
