import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One POST of the plugin. */
export interface ReceivedBatch {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly events: readonly ReceivedEvent[];
}

export interface ReceivedEvent {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

/** An ingest endpoint that accepts everything and keeps it. */
export interface IngestReceiver {
  /** The URL of an endpoint; each path is one of its own. */
  url(path: string): string;
  /** What has arrived at a path so far. */
  batches(path: string): readonly ReceivedBatch[];
  events(path: string): readonly ReceivedEvent[];
  /** Resolves once at least this many events have arrived at a path. */
  received(path: string, count: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a real HTTP server on 127.0.0.1. */
export async function openIngestReceiver(): Promise<IngestReceiver> {
  const batches: ReceivedBatch[] = [];
  const waiting = new Set<() => void>();
  const at = (path: string): readonly ReceivedBatch[] => batches.filter((batch) => batch.path === path);
  const eventsAt = (path: string): readonly ReceivedEvent[] => at(path).flatMap(({ events }) => events);

  const server = createServer((request, response) => {
    void readBatch(request).then((batch) => {
      batches.push(batch);
      response.writeHead(202).end();
      for (const check of waiting) check();
    });
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const { port } = server.address() as AddressInfo;

  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    batches: at,
    events: eventsAt,
    received(path, count) {
      const { promise, resolve: done } = Promise.withResolvers<void>();
      const check = (): void => {
        if (eventsAt(path).length < count) return;
        waiting.delete(check);
        done();
      };
      waiting.add(check);
      check();
      return promise;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function readBatch(request: IncomingMessage): Promise<ReceivedBatch> {
  const { url = '', headers } = request;
  const events = JSON.parse(await text(request)) as readonly ReceivedEvent[];
  return { path: url, contentType: headers['content-type'], authorization: headers.authorization, events };
}
