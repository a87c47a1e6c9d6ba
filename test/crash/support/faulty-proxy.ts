import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Random } from '../../support/random.ts';

/**
 * What can go wrong between a gateway and its backend. `down`: nobody answers; `silent`: nor does it refuse; `cut
 * request`: the backend gets half of it; `cut answer`: the backend has stored the batch, and the sender gets half of
 * what it says.
 */
export type Fault =
  | 'none'
  | 'down'
  | 'slow'
  | 'silent'
  | 'answers 500'
  | 'answers 503'
  | 'answers 429'
  | 'answers 401'
  | 'cut request'
  | 'cut answer';

export const FAULTS: readonly [Fault, ...Fault[]] = [
  'none',
  'down',
  'slow',
  'silent',
  'answers 500',
  'answers 503',
  'answers 429',
  'answers 401',
  'cut request',
  'cut answer',
];

/** Stands in front of a backend, and gets in its way. */
export interface FaultyProxy {
  readonly port: number;
  /** Where the backend is now; it comes back at another port. */
  upstream: string;
  /** Half of the requests meet it; all of them, when it is `down`. */
  fault: Fault;
  /** How often each fault has happened. */
  readonly happened: ReadonlyMap<Fault, number>;
  close(): Promise<void>;
}

/** @param isRefused a batch with such an event is answered 400 as a whole, as backends do that know nothing of lenient handling */
export async function startFaultyProxy(random: Random, isRefused: (body: string) => boolean): Promise<FaultyProxy> {
  const state = { upstream: '', fault: 'none' as Fault };
  const happened = new Map<Fault, number>();
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const fault = state.fault === 'down' || random.next() < 0.5 ? state.fault : 'none';
    happened.set(fault, (happened.get(fault) ?? 0) + 1);
    void answer(incoming, response, fault).catch(() => response.destroy());
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
    if (fault === 'down') {
      incoming.socket.destroy();
      return;
    }
    const body = await buffer(incoming);
    if (fault === 'silent') return;
    const status = /^answers (\d+)$/.exec(fault)?.[1];
    if (status !== undefined || isRefused(body.toString())) {
      response.writeHead(Number(status ?? 400), { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title: 'a fault', detail: 'made for a test' }));
      return;
    }
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, random.between(20, 150)));
    await pass(incoming, body, response, fault, state.upstream);
  }

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get upstream() {
      return state.upstream;
    },
    set upstream(url) {
      state.upstream = url;
    },
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    happened,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** Hands the request on, and the answer back; rejects when the backend is gone. */
async function pass(
  { method, headers, url }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  fault: Fault,
  upstream: string,
): Promise<void> {
  const outgoing = request(new URL(url ?? '/', upstream), { method, headers, agent: false });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  if (fault === 'cut request') {
    answered.catch(() => undefined);
    outgoing.write(body.subarray(0, body.length >> 1), () => outgoing.destroy());
    response.destroy();
    return;
  }
  outgoing.end(body);
  const [answer] = await answered;
  const text = await buffer(answer);
  if (fault === 'cut answer') {
    response.socket?.write(`HTTP/1.1 ${answer.statusCode} Whatever\r\ncontent-le`, () => response.destroy());
    return;
  }
  const type = answer.headers['content-type'];
  const preference = answer.headers['preference-applied'];
  response.writeHead(answer.statusCode ?? 502, {
    ...(type !== undefined && { 'content-type': type }),
    ...(preference !== undefined && { 'preference-applied': preference }),
  });
  response.end(text);
}
