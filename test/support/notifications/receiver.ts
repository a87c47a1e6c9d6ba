import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What a receiver was sent. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages freely
  json: any;
}

type Behaviour = (request: IncomingMessage, response: ServerResponse, received: Received) => void;

export interface Receiver {
  url: string;
  /** In the order in which they came, by path. */
  received(path: string): Received[];
  /** What is answered at a path; 204 unless told. */
  behave(path: string, behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** A real HTTP server that keeps what it is sent. */
export async function startReceiver(): Promise<Receiver> {
  const all: Received[] = [];
  const behaviours = new Map<string, Behaviour>();
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const path = request.url ?? '';
      const received = { path, headers: request.headers as Record<string, string>, text, json: JSON.parse(text) };
      all.push(received);
      const behaviour = behaviours.get(path) ?? (() => response.writeHead(204).end());
      behaviour(request, response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: (path) => all.filter((one) => one.path === path),
    behave: (path, behaviour) => void behaviours.set(path, behaviour),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Verifies a message as receivers do, with the library of Standard Webhooks. That one goes by the machine's clock: the
 * instant is one that a test's clock has said, so it is moved there for the verification alone.
 */
export function verify({ text, headers }: Received, secret: string): void {
  const { 'webhook-timestamp': timestamp = '', 'webhook-id': id = '' } = headers;
  const signature = new Webhook(secret).sign(id, new Date(Number.parseInt(timestamp, 10) * 1000), text);
  const given = (headers['webhook-signature'] ?? '').split(' ');
  if (!given.includes(signature)) throw new Error('no signature is the right one');
  if (headers['svix-signature'] !== headers['webhook-signature']) throw new Error('svix-signature differs');
  if (headers['svix-id'] !== id || headers['svix-timestamp'] !== timestamp) throw new Error('svix-id differs');
}
