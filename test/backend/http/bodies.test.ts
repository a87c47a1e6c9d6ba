import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { serve } from '@hono/node-server';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPlanSchema } from '../../../backend/catalog/plans/schema.ts';
import { createTaxCodeSchema } from '../../../backend/catalog/tax-codes/schema.ts';
import { createMeterSchema, queryRequestSchema } from '../../../backend/metering/meters/schema.ts';
import { createBodyBudget } from '../../../backend/platform/http/body-budget.ts';
import { continueWhenRead } from '../../../backend/platform/http/expect-continue.ts';
import { wantsExactNumbers } from '../../../backend/platform/http/validation.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

const BODY_BYTES = 100_000;
let backend: TestBackend;
let port: number;
let stop: () => void;
beforeAll(async () => {
  backend = await createTestBackend({ maxBodyBytes: BODY_BYTES, maxBodyBytesInFlight: 2 * BODY_BYTES });
  const server = serve({ fetch: backend.app.fetch, port: 0, hostname: '127.0.0.1' });
  continueWhenRead(server as Server);
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
  stop = () => server.close();
});
afterAll(async () => {
  stop();
  await backend.close();
});

/** A connection on which bytes are written as they are. */
async function open() {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    text: () => text,
    answers: () => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status),
  };
}

const head = (method: string, path: string, headers: Record<string, string>) =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: x', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;
const CHUNKED = { 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/cloudevents-batch+json' };
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
const requestLines = () => backend.logLines.filter((line) => line.includes('"msg":"request"'));

test('without a token, without a route, and with GET nothing of a body is waited for', async () => {
  const waiting: [string, string, string, Record<string, string>][] = [
    ['401', 'POST', '/v3/openmeter/events', {}],
    ['401', 'POST', '/v3/openmeter/customers', { Authorization: 'Bearer wrong-token-of-nobody' }],
    ['403', 'POST', '/v3/openmeter/customers', { Authorization: `Bearer ${TOKENS.viewer}` }],
    ['404', 'POST', '/v3/openmeter/nothing', { Authorization: `Bearer ${TOKENS.admin}` }],
    ['404', 'POST', '/nothing', {}],
    ['405', 'PUT', '/v3/openmeter/customers', {}],
    ['200', 'GET', '/healthz', {}],
    ['200', 'GET', '/v3/openmeter/meters', { Authorization: `Bearer ${TOKENS.viewer}` }],
  ];
  for (const [status, method, path, headers] of waiting) {
    const { socket, text, answers } = await open();
    // The body never comes to its end: whoever waits for it never answers.
    socket.write(head(method, path, { ...CHUNKED, ...headers }) + chunk(1000));
    await expect.poll(text, { timeout: 20_000 }).toContain('\r\n\r\n');
    expect(answers(), `${method} ${path}`).toEqual([status]);
    socket.destroy();
  }
});

test('only a caller whose body is wanted is told to send it', async () => {
  const body = JSON.stringify({ name: 'Expected', key: 'expected' });
  const asked = { Expect: '100-continue', 'Content-Type': 'application/json', 'Content-Length': `${body.length}` };
  for (const [status, headers] of [
    ['401', asked],
    ['403', { ...asked, Authorization: `Bearer ${TOKENS.viewer}` }],
    ['413', { ...asked, Authorization: `Bearer ${TOKENS.admin}`, 'Content-Length': `${10 * BODY_BYTES}` }],
  ] as const) {
    const { socket, answers } = await open();
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head('POST', '/v3/openmeter/customers', headers));
    // The body cannot come any more, so that the connection is of no use.
    await ended;
    expect(answers()).toEqual([status]);
  }
  const { socket, answers } = await open();
  socket.write(head('POST', '/v3/openmeter/customers', { ...asked, Authorization: `Bearer ${TOKENS.admin}` }));
  await expect.poll(answers, { timeout: 20_000 }).toEqual(['100']);
  socket.write(body);
  await expect.poll(answers, { timeout: 20_000 }).toEqual(['100', '201']);
  socket.destroy();
});

test('an object of more keys than any of ours is refused before it is parsed', async () => {
  const body = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, 0]));
  for (const sent of [body, { name: 'Acme', key: 'keys', labels: body }]) {
    const answer = await backend.request('POST', '/customers', { body: sent });
    expect(answer.status).toBe(400);
    expect(answer.json.detail).toContain('an object has more than 1000 keys');
  }
});

test('a body that breaks off is no error, and stores nothing', async () => {
  const before = requestLines().length;
  const { socket } = await open();
  socket.write(
    head('POST', '/v3/openmeter/events', { ...CHUNKED, Authorization: `Bearer ${TOKENS.ingest}` }) + chunk(100),
  );
  await expect.poll(() => held(backend)).toBe(100);
  socket.destroy();
  await expect.poll(() => requestLines().length, { timeout: 20_000 }).toBe(before + 1);
  expect(requestLines().at(-1)).toContain('"status":499');
  expect(backend.logLines.filter((line) => line.includes('"level":50') || line.includes('request failed'))).toEqual([]);
  await expect.poll(() => held(backend)).toBe(0);
});

test('bytes in flight are bounded for all: beyond it 503 and when to try again, until others have gone', async () => {
  const sockets: Socket[] = [];
  // Two bodies of two tokens fill it.
  for (const token of [TOKENS.ingest, TOKENS.admin]) {
    const { socket } = await open();
    socket.write(
      head('POST', '/v3/openmeter/events', { ...CHUNKED, Authorization: `Bearer ${token}` }) + chunk(BODY_BYTES),
    );
    sockets.push(socket);
  }
  await expect.poll(() => held(backend)).toBe(2 * BODY_BYTES);
  const post = (path: string, body: unknown) =>
    request(`http://127.0.0.1:${port}/v3/openmeter${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const customer = { name: 'Acme', key: 'acme' };
  const refused = await post('/customers', customer);
  expect(refused.statusCode).toBe(503);
  expect(refused.headers['retry-after']).toBe('1');
  expect(await refused.body.json()).toMatchObject({ status: 503, title: 'Service Unavailable' });
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => held(backend)).toBe(0);
  expect((await post('/customers', customer)).statusCode).toBe(201);
});

test('one token has half of it, one connection what one body may have', () => {
  const budget = createBodyBudget({ maxBodyBytes: 100, maxBodyBytesInFlight: 1000 });
  const connection = {};
  const first = budget.open({ connection, tokenId: 'a' });
  first.take(90);
  const pipelined = budget.open({ connection, tokenId: 'b' });
  expect(() => pipelined.take(11)).toThrow('of this connection');
  pipelined.take(10);
  const others = Array.from({ length: 4 }, () => budget.open({ connection: {}, tokenId: 'a' }));
  for (const other of others) other.take(100);
  const more = budget.open({ connection: {}, tokenId: 'a' });
  expect(() => more.take(11)).toThrow('of this token');
  more.take(10);
  expect(budget.held()).toBe(510);
  for (const account of [first, pipelined, more, ...others]) {
    account.close();
    account.close();
  }
  expect(budget.held()).toBe(0);
  const large = createBodyBudget({ maxBodyBytes: 100, maxBodyBytesInFlight: 10 }).open({ connection, tokenId: 'a' });
  large.take(100);
});

test('numbers are read digit by digit where a figure is wanted, and nowhere else', () => {
  const schemas = { createMeterSchema, queryRequestSchema, createTaxCodeSchema, createPlanSchema };
  const exact = Object.entries(schemas).filter(([, schema]) => wantsExactNumbers(schema));
  expect(exact.map(([name]) => name)).toEqual(['createPlanSchema']);
});

function held({ bodies }: TestBackend): number {
  return bodies.held();
}
