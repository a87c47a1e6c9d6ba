import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../sdk/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.for([
  ['says nothing', () => {}],
  ['begins an answer and never ends it', (_request, response) => void response.writeHead(200).write('{')],
] as [string, RequestListener][])('a call ends in time when the server %s', async ([, listener]) => {
  const client = createClient({ url: await serve(listener), timeoutMs: 300 });
  const call = client.GET('/v3/openmeter/meters');
  // What nothing holds goes now.
  const collecting = setInterval(collectGarbage, 50);
  await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
  clearInterval(collecting);
});

test("the caller's own signal ends a call too, before and while it runs", async () => {
  const client = createClient({ url: await serve(() => {}), timeoutMs: 60_000 });
  const gone = AbortSignal.abort();
  await expect(client.GET('/v3/openmeter/meters', { signal: gone })).rejects.toMatchObject({ name: 'AbortError' });
  const controller = new AbortController();
  const call = client.GET('/v3/openmeter/meters', { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
});
