import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCallerLimits } from '../../../backend/platform/http/caller-limits.ts';
import type { AppEnv } from '../../../backend/platform/http/env.ts';
import { fixedAnswer } from '../../../backend/platform/http/fixed-answer.ts';
import { securityHeaders } from '../../../backend/platform/http/security-headers.ts';
import { createLogger } from '../../../backend/platform/log.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';
import { testClock } from '../../support/test-clock.ts';

let backend: TestBackend;
let url: string;
let stop: () => void;
beforeAll(async () => {
  backend = await createTestBackend({ requestsAMinute: 30 });
  const server = serve({ fetch: backend.app.fetch, port: 0, hostname: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () => server.close();
});
afterAll(async () => {
  stop();
  await backend.close();
});

const ask = (token: string, headers: Record<string, string> = {}, path = '/v3/openmeter/access-tokens/self') =>
  fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}`, ...headers } });

test('after twenty wrong tokens within a minute an address is told to wait; valid tokens behind it go on', async () => {
  for (let count = 0; count < 20; count++) expect((await ask(`wrong-token-${count}`)).status).toBe(401);
  const refused = await ask('spat_one-more-wrong-token');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('60');
  expect(await refused.json()).toMatchObject({ status: 429, title: 'Too Many Requests' });
  // Neither a new path nor another address that the client claims to have helps.
  expect((await ask('wrong', { 'X-Forwarded-For': '10.1.2.3' })).status).toBe(429);
  expect((await ask('wrong', {}, '/metrics')).status).toBe(429);
  expect((await ask(TOKENS.viewer)).status).toBe(200);
  const warnings = backend.logLines.filter((line) => line.includes('too many wrong tokens'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('127.0.0.1');
  backend.clock.advanceMs(60_000);
  expect((await ask('wrong-again')).status).toBe(401);
});

test('a token that has used up its requests waits until one more is due; others do not', async () => {
  for (let count = 0; count < 30; count++) expect((await ask(TOKENS.ingest)).status).toBe(200);
  const refused = await ask(TOKENS.ingest);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('2');
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect((await ask(TOKENS.admin)).status).toBe(200);
  backend.clock.advanceMs(2000);
  expect((await ask(TOKENS.ingest)).status).toBe(200);
  expect((await ask(TOKENS.ingest)).status).toBe(429);
  backend.clock.advanceMs(3_600_000);
  for (let count = 0; count < 30; count++) expect((await ask(TOKENS.ingest)).status).toBe(200);
  expect((await ask(TOKENS.ingest)).status).toBe(429);
});

test('the document and its page are made once: the same bytes, compressed, and 304 to who has them', async () => {
  const paths = ['/openapi.json', '/docs', '/docs/start.js', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js'];
  for (const path of paths) {
    const plain = await request(`${url}${path}`);
    const text = await plain.body.text();
    const zipped = await request(`${url}${path}`, { headers: { 'accept-encoding': 'br, gzip' } });
    expect(gunzipSync(await zipped.body.arrayBuffer()).toString()).toBe(text);
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
    const again = await request(`${url}${path}`, {
      headers: { 'if-none-match': `"other", W/${plain.headers['etag']}` },
    });
    expect([again.statusCode, await again.body.text()]).toEqual([304, '']);
    const refused = await request(`${url}${path}`, { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(await refused.body.text()).toBe(text);
  }
  let made = 0;
  const app = new Hono<AppEnv>();
  app.get(
    '/',
    fixedAnswer(() => `made ${++made} times`, {}),
  );
  for (let count = 0; count < 3; count++) expect(await (await app.request('/')).text()).toBe('made 1 times');
});

describe('limits on their own', () => {
  const limits = () => createCallerLimits({ clock: testClock(), log: createLogger('silent') });

  test('addresses of one IPv6 network count together, an IPv4 address in IPv6 form is the same', () => {
    const { wrongToken } = limits();
    for (let count = 0; count < 10; count++) {
      wrongToken(`2001:db8:1:2::${count}`);
      wrongToken(`2001:db8:1:2:3:4:5:${count}`);
      wrongToken('::ffff:10.0.0.1');
      wrongToken('10.0.0.1');
    }
    expect(() => wrongToken('2001:db8:1:2:ffff::')).toThrow('Too many wrong tokens');
    expect(() => wrongToken('10.0.0.1')).toThrow('Too many wrong tokens');
    wrongToken('2001:db8:1:3::1');
    wrongToken('10.0.0.2');
    wrongToken(undefined);
  });

  test('ten thousand addresses are known, the oldest makes room', () => {
    const { wrongToken } = limits();
    for (let count = 0; count < 20; count++) wrongToken('10.0.0.1');
    for (let count = 0; count < 9_999; count++) wrongToken(`10.1.${count >> 8}.${count & 255}`);
    expect(() => wrongToken('10.0.0.1')).toThrow();
    wrongToken('10.2.0.0');
    wrongToken('10.0.0.1');
  });
});

describe('headers', () => {
  test('of an answer with data, an error, a page and the document', async () => {
    const expected = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
    for (const path of ['/v3/openmeter/meters', '/api/v3/openmeter/nothing', '/docs', '/openapi.json', '/healthz']) {
      const { headers } = await ask(TOKENS.admin, {}, path);
      expect(Object.fromEntries(headers)).toMatchObject(expected);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('strict-transport-security')).toBeNull();
      if (/^\/(v3|api)/.test(path)) expect(headers.get('cache-control')).toBe('no-store');
    }
    const refused = await fetch(`${url}/v3/openmeter/meters`);
    expect(Object.fromEntries(refused.headers)).toMatchObject({ ...expected, 'cache-control': 'no-store' });
  });

  test('a page with a policy of its own may not be framed either', async () => {
    const app = new Hono<AppEnv>();
    app.use(securityHeaders());
    app.get('/document', (c) => c.html('<p>', 200, { 'Content-Security-Policy': "default-src 'none'" }));
    const { headers } = await app.request('/document');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  test('TLS for good is asked for behind TLS only', async () => {
    const { headers } = await ask(TOKENS.admin, { 'X-Forwarded-Proto': 'https' });
    expect(headers.get('strict-transport-security')).toBe('max-age=63072000');
    const plain = await ask(TOKENS.admin, { 'X-Forwarded-Proto': 'http' });
    expect(plain.headers.get('strict-transport-security')).toBeNull();
  });
});
