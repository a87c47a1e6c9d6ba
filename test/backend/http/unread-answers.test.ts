import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { leaveUnreadAnswers } from '../../../backend/platform/http/unread-answers.ts';

/** More than the kernel takes for a client that reads nothing. */
const ANSWER = Buffer.alloc(16 * 1024 * 1024, 'x');
const CLIENTS = 12;
let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  server?.close();
});

async function serve(limits: Parameters<typeof leaveUnreadAnswers>[1]): Promise<number> {
  server = createServer((_request, response) => response.end(ANSWER));
  leaveUnreadAnswers(server, limits);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Asks, and takes nothing of the answer. */
function askAndForget(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).pause();
  socket.on('error', () => {});
  sockets.push(socket);
  return new Promise((resolve) => socket.once('connect', () => resolve()));
}

const open = () => new Promise<number>((resolve) => server?.getConnections((_error, count) => resolve(count)));

test('clients that take nothing are left while all together hold too much, and one that reads is not', async () => {
  const port = await serve({ maxBytes: 3 * ANSWER.length, idleMs: 3_600_000, graceMs: 50, everyMs: 10 });
  await Promise.all(Array.from({ length: CLIENTS }, () => askAndForget(port)));
  // Who reads is answered whole, though the others hold more than all may.
  expect((await (await fetch(`http://127.0.0.1:${port}`)).arrayBuffer()).byteLength).toBe(ANSWER.length);
  // The connection of the one that reads is kept alive.
  await expect.poll(open).toBe(1);
});

test('none is left while there is room, nor one whose answer is still being made', async () => {
  const port = await serve({ maxBytes: 3 * ANSWER.length, idleMs: 3_600_000, graceMs: 1, everyMs: 1 });
  await Promise.all([askAndForget(port), askAndForget(port)]);
  server?.removeAllListeners('request');
  server?.on('request', (_request, response) => {
    response.write('a');
    setTimeout(() => response.end('b'), 300);
  });
  leaveUnreadAnswers(server as Server, { maxBytes: 0, idleMs: 1, graceMs: 1, everyMs: 1 });
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('ab');
  expect(await open()).toBe(3);
});

test('a client that takes nothing for long is left, however little it holds', async () => {
  const port = await serve({ maxBytes: 100 * ANSWER.length, idleMs: 100, graceMs: 50, everyMs: 10 });
  await askAndForget(port);
  await expect.poll(open).toBe(0);
});
