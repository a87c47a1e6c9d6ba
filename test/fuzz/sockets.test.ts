import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';

const TOKEN = 'token-of-the-hostile-client';
const EVENT = '{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"a"}';
const dataDir = mkdtempSync(join(tmpdir(), 'sockets-'));
let backend: Awaited<ReturnType<typeof startBackend>>;
beforeAll(async () => {
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN, MAX_BODY_BYTES: '100000' });
  backend = await startBackend(config, createLogger('silent'));
});
afterAll(async () => {
  await backend.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Sends bytes as they are, and reads until the server hangs up. @param isCut the client hangs up first */
async function say(message: string | Buffer, isCut = false): Promise<string> {
  const socket = createConnection({ port: Number(new URL(backend.url).port), host: '127.0.0.1' });
  // A server that slams the door has answered.
  socket.on('error', () => socket.destroy());
  socket.write(message);
  if (isCut) socket.end();
  return text(socket).catch(() => '');
}

const post = (headers: string, body = '', path = '/v3/openmeter/events') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${TOKEN}\r\n${headers}\r\n\r\n${body}`;
const JSON_TYPE = 'Content-Type: application/cloudevents+json';

const REFUSED: [string, string | Buffer][] = [
  ['no HTTP', 'hello\r\n\r\n'],
  ['TLS', Buffer.from('16030100a5010000a1030300', 'hex')],
  ['a head that is too large', post(`X-Big: ${'a'.repeat(200_000)}`)],
  ['thousands of headers', post(Array.from({ length: 5000 }, (_, index) => `X-${index}: 1`).join('\r\n'))],
  ['a length that is no number', post(`${JSON_TYPE}\r\nContent-Length: many`, EVENT)],
  ['a negative length', post(`${JSON_TYPE}\r\nContent-Length: -5`, EVENT)],
  ['two lengths', post(`${JSON_TYPE}\r\nContent-Length: 5\r\nContent-Length: 70`, EVENT)],
  ['a length and chunks', post(`${JSON_TYPE}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked`, EVENT)],
  ['a length beyond the limit', post(`${JSON_TYPE}\r\nContent-Length: 99999999999`, EVENT)],
  [
    'chunks beyond the limit',
    post(`${JSON_TYPE}\r\nTransfer-Encoding: chunked`, `30d40\r\n${' '.repeat(200_000)}\r\n0\r\n\r\n`),
  ],
  ['a chunk size that is no number', post(`${JSON_TYPE}\r\nTransfer-Encoding: chunked`, `zz\r\n${EVENT}\r\n0\r\n\r\n`)],
  ['a compressed body', post(`${JSON_TYPE}\r\nContent-Encoding: gzip\r\nContent-Length: 4`, '\x1f\x8b\x08\x00')],
  ['a path with a line break', post(JSON_TYPE, '', '/v3/openmeter/events\nX: y')],
  ['a path with NUL', post(`${JSON_TYPE}\r\nContent-Length: 0`, '', '/v3/openmeter/meters/%00')],
  ['a path with half an escape', post(`${JSON_TYPE}\r\nContent-Length: 0`, '', '/v3/openmeter/meters/%')],
  ['no host', 'GET /v3/openmeter/meters HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['a host that is none', 'GET /v3/openmeter/meters HTTP/1.1\r\nHost: a b"<>\r\nConnection: close\r\n\r\n'],
  ['a method that is none', 'BREW /v3/openmeter/meters HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
  ['TRACE', 'TRACE /v3/openmeter/meters HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
];

const CUT: [string, string][] = [
  ['nothing', ''],
  ['a head that ends early', 'POST /v3/openmeter/events HTTP/1.1\r\nHost: x\r\nContent-Le'],
  ['a body shorter than its length', post(`${JSON_TYPE}\r\nContent-Length: 500`, EVENT)],
  ['chunks that end early', post(`${JSON_TYPE}\r\nTransfer-Encoding: chunked`, `44\r\n${EVENT}\r\n`)],
];

test.each(REFUSED)('a client that says %s is refused, or gets no answer', async (_name, message) => {
  const answer = await say(message);
  expect(answer).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
});

test.each(CUT)('a client that says %s and hangs up', async (_name, message) => {
  expect(await say(message, true)).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
});

test.each(['/v3/../../../../etc/passwd', 'http://169.254.169.254/latest'])(
  'nothing is fetched or read for %s',
  async (path) => {
    const answer = await say(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    // The console's page, where it has been built.
    expect(answer).toMatch(/^HTTP\/1\.1 (404 |200 [\s\S]*<title>Metering &amp; Billing<)/);
  },
);

test('after all of it, the server counts what it is sent, and nothing of what it refused', async () => {
  const answer = await say(post(`${JSON_TYPE}\r\nContent-Length: ${EVENT.length}`, EVENT));
  expect(answer).toMatch(/^HTTP\/1\.1 202 /);
  const response = await fetch(`${backend.url}/v3/openmeter/ingest-totals`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  expect(await response.json()).toEqual({ received: 1, stored: 1, duplicates: 0 });
});
