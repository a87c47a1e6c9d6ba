import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface IngestRequest {
  readonly headers: IncomingMessage['headers'];
  readonly ids: readonly string[];
}

/** What to answer: a status, or a report of events that were refused. */
export interface IngestAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A real HTTP server that takes batches and keeps the events it answered 2xx for, once each, as the backend does. */
export interface IngestServer {
  readonly url: string;
  readonly requests: IngestRequest[];
  /** Ids that were stored, in order of storing. */
  readonly stored: string[];
  /** What was stored, in that order. */
  readonly events: Record<string, unknown>[];
  /** Their JSON. */
  readonly bodies: Map<string, string>;
  /** Ids that came again with another content. */
  readonly changed: string[];
  answer: (ids: readonly string[], request: number) => IngestAnswer;
  /** Knows nothing any more. */
  forget(): void;
  close(): Promise<void>;
}

export async function startIngestServer(): Promise<IngestServer> {
  const requests: IngestRequest[] = [];
  const stored: string[] = [];
  const kept: Record<string, unknown>[] = [];
  const bodies = new Map<string, string>();
  const changed: string[] = [];
  const server = createServer((request, response) => {
    // What is reported of sources is not events.
    if (request.url?.endsWith('/source-reports')) return response.writeHead(404).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const events = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { id: string; [name: string]: unknown }[];
      const ids = events.map(({ id }) => id);
      requests.push({ headers: request.headers, ids });
      const { status, headers = {}, body } = ingest.answer(ids, requests.length);
      const rejected = (body as { rejected?: { index: number }[] } | undefined)?.rejected ?? [];
      if (status < 300) {
        for (const [index, id] of ids.entries()) {
          const body = JSON.stringify(events[index]);
          if (bodies.has(id) && bodies.get(id) !== body) changed.push(id);
          if (bodies.has(id) || rejected.some((one) => one.index === index)) continue;
          bodies.set(id, body);
          stored.push(id);
          kept.push(events[index] ?? {});
        }
      }
      response.writeHead(status, headers).end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const ingest: IngestServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stored,
    events: kept,
    bodies,
    changed,
    answer: () => ({ status: 204 }),
    forget() {
      bodies.clear();
      for (const list of [requests, stored, kept, changed]) list.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return ingest;
}
