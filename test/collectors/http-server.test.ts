import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { fetch } from 'undici';
import { expect, test } from 'vitest';
import { startHttpServer } from '../../collectors/core/http-server.ts';

test('who keeps connections open and asks nothing keeps nobody out', async () => {
  const server = await startHttpServer({ host: '127.0.0.1', port: 0 }, new Registry(), () => ['not yet']);
  const [host = '', port = ''] = server.address.split(':');
  const sockets: Socket[] = [];
  for (let index = 0; index < 200; index++) {
    const socket = connect(Number(port), host);
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (index % 2 === 0) socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    sockets.push(socket);
  }
  const answer = async (path: string, method = 'GET') => {
    const { status } = await fetch(`http://${server.address}${path}`, { method });
    return status;
  };
  expect(await answer('/healthz')).toBe(200);
  expect(await answer('/ready')).toBe(503);
  expect(await answer('/metrics')).toBe(200);
  expect(await answer('/metrics', 'POST')).toBe(405);
  expect(await answer('/../etc/passwd')).toBe(404);
  for (const socket of sockets) socket.destroy();
  await server.close();
});
