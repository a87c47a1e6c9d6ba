import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One request that arrived whole. */
export interface Received {
  readonly ids: readonly string[];
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Ends the connection instead: before any answer, or after the status line and half of the headers. */
  readonly close?: 'before answer' | 'within headers' | 'within body';
}

export type Respond = (request: Received, index: number) => Answer | Promise<Answer>;

export interface IngestServer {
  readonly url: string;
  readonly port: number;
  /** Requests that arrived whole, in the order of their arrival. */
  readonly requests: Received[];
  /** Ids of the events in requests that were answered 2xx in full, in that order. */
  readonly accepted: string[];
  /** Requests under way at the same time, at most. */
  readonly mostAtOnce: number;
  /** Connections that were opened. */
  readonly connections: number;
  respond: Respond;
  close(): Promise<void>;
}

export interface IngestServerOptions {
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Gets each request before its body is read; true = it has been dealt with. */
  readonly intercept?: (request: IncomingMessage, index: number) => boolean;
}

export const accepting: Respond = () => ({ status: 202 });

/** A real backend as far as delivery can see one: an HTTP server on 127.0.0.1 that notes what it gets. */
export async function startIngestServer(
  respond: Respond = accepting,
  options: IngestServerOptions = {},
): Promise<IngestServer> {
  const requests: Received[] = [];
  const accepted: string[] = [];
  const state = { respond, atOnce: 0, mostAtOnce: 0, connections: 0, arrivals: 0 };

  const handle: RequestListener = async (request, response) => {
    if (options.intercept?.(request, state.arrivals++) === true) return;
    state.mostAtOnce = Math.max(state.mostAtOnce, ++state.atOnce);
    try {
      const received = await receive(request);
      const index = requests.push(received) - 1;
      const answer = await state.respond(received, index);
      if (answer.status < 300 && answer.close === undefined) accepted.push(...received.ids);
      write(answer, response);
    } catch {
      // The client went away half way through its request.
    } finally {
      state.atOnce--;
    }
  };
  const server = options.tls === undefined ? createHttpServer(handle) : createHttpsServer(options.tls, handle);
  server.on('connection', () => state.connections++);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/v3/openmeter/events`,
    port,
    requests,
    accepted,
    get mostAtOnce() {
      return state.mostAtOnce;
    },
    get connections() {
      return state.connections;
    },
    get respond() {
      return state.respond;
    },
    set respond(next) {
      state.respond = next;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const events = JSON.parse(body) as { id: string }[];
  return { ids: events.map((event) => event.id), body, headers: request.headers, path: request.url ?? '' };
}

function write(answer: Answer, response: ServerResponse): void {
  const { socket } = response;
  switch (answer.close) {
    case 'before answer':
      socket?.destroy();
      return;
    case 'within headers':
      socket?.write(`HTTP/1.1 ${answer.status} Whatever\r\ncontent-ty`, () => socket.destroy());
      return;
    case 'within body':
      socket?.write(`HTTP/1.1 ${answer.status} Whatever\r\ncontent-length: 100\r\n\r\nhalf`, () => socket.destroy());
      return;
    default:
      response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
