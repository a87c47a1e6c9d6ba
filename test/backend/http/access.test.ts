import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

describe('problems', () => {
  test.each([
    ['no token', undefined],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no token after the scheme', 'Bearer '],
    ['two tokens', `Bearer ${TOKENS.admin} ${TOKENS.admin}`],
    ['a token that is a beginning', `Bearer ${TOKENS.admin.slice(0, -1)}`],
  ])('401 as problem+json: %s', async (_name, authorization) => {
    const response = await backend.app.request('/v3/openmeter/meters', {
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({
      status: 401,
      title: 'Unauthorized',
      type: 'https://kongapi.info/konnect/unauthenticated',
    });
  });

  test('403 names the role', async () => {
    const answer = await backend.request('GET', '/events', { token: TOKENS.ingest });
    expect(answer.json).toMatchObject({ status: 403, title: 'Forbidden', detail: expect.stringContaining('ingest') });
  });

  test('404 for paths that do not exist, with and without a token', async () => {
    for (const path of [
      '/v3/openmeter/nothing',
      '/nothing',
      '/v3/openmeter/meters/x/y/z',
      '/api/v3/openmeter/nothing',
    ]) {
      const response = await backend.app.request(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('a request id is echoed when it is harmless and made when it is not', async () => {
    const ask = (id: string) => backend.request('GET', '/meters', { headers: { 'X-Request-Id': id } });
    expect((await ask('trace-1')).headers.get('x-request-id')).toBe('trace-1');
    expect((await ask('a b"')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const refused = await backend.request('GET', '/meters/none', { headers: { 'X-Request-Id': 'trace-2' } });
    expect(refused.json.instance).toBe('urn:request:trace-2');
  });

  test('no token and no query string reaches the log', async () => {
    await backend.request('GET', '/meters?filter[key]=secret-filter');
    const log = backend.logLines.join('');
    expect(log).toContain('"path":"/v3/openmeter/meters"');
    expect(log).not.toContain('secret-filter');
    for (const token of Object.values(TOKENS)) expect(log).not.toContain(token);
  });
});

describe('open to all', () => {
  test('health, readiness, documentation', async () => {
    expect(await (await backend.app.request('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await backend.app.request('/readyz')).json()).toMatchObject({ status: 'ready' });
    const page = await backend.app.request('/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    expect(html).not.toMatch(/https?:\/\//);
    for (const [, asset] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await backend.app.request(asset ?? '')).status).toBe(200);
    }
  });

  test('the document describes every operation once, with its own parameters', async () => {
    const document = (await (await backend.app.request('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => operation.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining(['ingest-metering-events', 'list-metering-events', 'query-meter', 'create-customer']),
    );
  });
});

test('readiness says what is not ready', async () => {
  const broken = await createTestBackend();
  await broken.usage.close();
  const response = await broken.app.request('/readyz');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ status: 'not ready', failed: expect.arrayContaining(['usage_store']) });
});
