import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';

const NOW = '2026-03-10T12:00:00Z';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
type Json = any;

async function send(backend: TestBackend, events: [subject: string, time: string][]): Promise<void> {
  const body = events.map(([subject, time], index) => ({
    id: `${subject}-${time}-${index}`,
    source: 'test',
    specversion: '1.0',
    type: 'request',
    subject,
    time,
  }));
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  expect((await backend.request('POST', '/events', { rawBody: JSON.stringify(body), headers })).status).toBe(202);
}

describe('subjects without a customer', () => {
  let backend: TestBackend;
  let meter: Json;
  beforeAll(async () => {
    backend = await createTestBackend({ start: NOW });
    const fields = { key: 'requests', name: 'Requests', aggregation: 'count', event_type: 'request' };
    meter = (await backend.request('POST', '/meters', { body: fields })).json;
    await send(backend, [
      ['alice', '2026-03-01T10:00:00Z'],
      ['alice', '2026-03-02T10:00:00Z'],
      ['bob', '2026-03-03T10:00:00Z'],
      ['a/b ä', '2026-03-04T10:00:00Z'],
      ['owned', '2026-03-05T10:00:00Z'],
    ]);
    await backend.request('POST', '/customers', { body: { key: 'owned', name: 'Owned' } });
  });
  afterAll(() => backend.close());
  const list = async (query = '') => (await backend.request('GET', `/unattributed-subjects${query}`)).json;
  const attribute = (body: unknown) => backend.request('POST', '/unattributed-subjects/attribute', { body });
  const usageOf = async (id: string) => {
    const body = {
      from: '2026-03-01T00:00:00Z',
      to: '2026-04-01T00:00:00Z',
      filters: { dimensions: { customer_id: { in: [id] } } },
    };
    return (await backend.request('POST', `/meters/${meter.id}/query`, { body })).json.data[0]?.value ?? '0';
  };

  test('with counts and when they were last seen; owned ones are left out', async () => {
    expect(await list()).toEqual({
      data: [
        { subject: 'alice', events: 2, voided: 0, last_seen_at: '2026-03-02T10:00:00Z' },
        { subject: 'a/b ä', events: 1, voided: 0, last_seen_at: '2026-03-04T10:00:00Z' },
        { subject: 'bob', events: 1, voided: 0, last_seen_at: '2026-03-03T10:00:00Z' },
      ],
      total: 3,
      total_events: 4,
    });
    expect((await list('?prefix=bo')).data).toHaveLength(1);
    expect(await list('?limit=1')).toMatchObject({ data: [{ subject: 'alice' }], total: 3, total_events: 4 });
    expect((await list('?from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z')).data).toMatchObject([{ subject: 'bob' }]);
    expect((await list('?type=other')).data).toEqual([]);
    expect((await backend.request('GET', '/unattributed-subjects?limt=1')).status).toBe(400);
  });

  test('one call makes the customer, whose events of before are its own', async () => {
    const made = await attribute({ subject: 'bob', create_customer: {} });
    expect(made).toMatchObject({ status: 201, json: { key: 'bob', name: 'bob' } });
    expect(await usageOf(made.json.id)).toBe('1');
    const named = await attribute({
      subject: 'a/b ä',
      create_customer: { key: 'acme', name: 'Acme', currency: 'EUR' },
    });
    expect(named).toMatchObject({
      status: 201,
      json: { key: 'acme', name: 'Acme', currency: 'EUR', usage_attribution: { subject_keys: ['a/b ä'] } },
    });
    expect(await usageOf(named.json.id)).toBe('1');
    expect((await list()).data.map(({ subject }: Json) => subject)).not.toContain('bob');
  });

  test('one call gives it to a customer, by id or key; twice is a conflict', async () => {
    const { json: customer } = await backend.request('POST', '/customers', {
      body: { key: 'globex', name: 'Globex', usage_attribution: { subject_keys: ['first'] } },
    });
    const given = await attribute({ subject: 'alice', customer: { key: 'globex' } });
    expect(given).toMatchObject({ status: 200, json: { usage_attribution: { subject_keys: ['first', 'alice'] } } });
    expect(await usageOf(customer.id)).toBe('2');
    expect(await attribute({ subject: 'alice', customer: { id: customer.id } })).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('"Globex"') },
    });
    expect((await attribute({ subject: 'second', customer: { id: customer.id } })).status).toBe(200);
  });

  test('400, 403, 404, 410', async () => {
    expect((await attribute({ subject: 'x' })).status).toBe(400);
    expect((await attribute({ subject: 'x', customer: { key: 'globex' }, create_customer: {} })).status).toBe(400);
    expect((await attribute({ subject: 'x', customer: {} })).status).toBe(400);
    expect((await attribute({ subject: '', create_customer: {} })).status).toBe(400);
    expect((await attribute({ subject: 'x', customer: { id: UNKNOWN_ID } })).status).toBe(404);
    expect((await attribute({ subject: 'x', customer: { key: 'nobody' } })).status).toBe(404);
    const { json: gone } = await backend.request('POST', '/customers', { body: { key: 'gone', name: 'Gone' } });
    await backend.request('DELETE', `/customers/${gone.id}`);
    expect((await attribute({ subject: 'x', customer: { id: gone.id } })).status).toBe(410);
    const body = { subject: 'x', create_customer: {} };
    expect(
      (await backend.request('POST', '/unattributed-subjects/attribute', { body, token: TOKENS.viewer })).status,
    ).toBe(403);
  });

  test('without an Admin API, sources are the subjects seen, with whose they are', async () => {
    const { json } = await backend.request('GET', '/usage-sources?search=OWN');
    expect(json).toEqual({
      source: 'subjects_seen',
      data: [
        {
          subject: 'owned',
          customer: expect.objectContaining({ key: 'owned' }),
          events: 1,
          last_seen_at: '2026-03-05T10:00:00Z',
        },
      ],
    });
  });
});

describe('consumers of the gateway', () => {
  let backend: TestBackend;
  let admin: Server;
  let asked: IncomingMessage[] = [];
  let answer: (request: IncomingMessage) => { status: number; body: string; location?: string };
  const consumers = [
    { id: 'c1', username: 'kong-air', custom_id: 'crm-1', tags: null, created_at: 1_700_000_000 },
    { id: 'c2', username: 'acme', custom_id: null, tags: ['a'], created_at: 1_700_000_001 },
    { id: 'c3', username: null, custom_id: 'crm-3', tags: null, created_at: 1_700_000_002 },
  ];
  /** Two pages, as the Admin API gives them. */
  const pages = (request: IncomingMessage) => {
    const isSecond = request.url?.includes('offset=') === true;
    const body = isSecond
      ? { data: consumers.slice(2), next: null }
      : { data: consumers.slice(0, 2), offset: 'WyJjMiJd', next: 'http://evil.example/consumers?offset=WyJjMiJd' };
    return { status: 200, body: JSON.stringify(body) };
  };
  beforeAll(async () => {
    admin = createServer((request, response) => {
      asked.push(request);
      const { status, body, location } = answer(request);
      response.writeHead(status, { 'Content-Type': 'application/json', ...(location && { location }) }).end(body);
    });
    await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
    const { port } = admin.address() as AddressInfo;
    const kongAdmin = { url: `http://127.0.0.1:${port}/admin/`, token: 'kong-admin-secret' };
    backend = await createTestBackend({ start: NOW, kongAdmin });
    await send(backend, [['acme', '2026-03-05T10:00:00Z']]);
    await backend.request('POST', '/customers', { body: { key: 'acme', name: 'Acme Inc' } });
  });
  afterAll(async () => {
    await backend.close();
    admin.closeAllConnections();
    await new Promise((resolve) => admin.close(resolve));
  });
  beforeEach(() => {
    asked = [];
    answer = pages;
    // What was read before is no longer fresh.
    backend.clock.advanceMs(60_000);
  });
  const sources = async (query = '') => (await backend.request('GET', `/usage-sources${query}`)).json;

  test('are read page by page from the one host that is set, with the token', async () => {
    expect(await sources()).toEqual({
      source: 'kong_consumers',
      data: [
        {
          subject: 'acme',
          consumer: { id: 'c2', username: 'acme' },
          customer: expect.objectContaining({ key: 'acme', name: 'Acme Inc' }),
          events: 1,
          last_seen_at: '2026-03-05T10:00:00Z',
        },
        { subject: 'kong-air', consumer: { id: 'c1', username: 'kong-air', custom_id: 'crm-1' } },
      ],
    });
    expect(asked.map(({ url }) => url)).toEqual([
      '/admin/consumers?size=1000',
      '/admin/consumers?size=1000&offset=WyJjMiJd',
    ]);
    expect(asked[0]?.headers['kong-admin-token']).toBe('kong-admin-secret');
  });

  test('by another field, searched for, and not asked for again within seconds', async () => {
    expect((await sources('?field=custom_id')).data.map(({ subject }: Json) => subject)).toEqual(['crm-1', 'crm-3']);
    expect((await sources('?field=id&search=CRM-3')).data).toMatchObject([{ subject: 'c3' }]);
    expect((await sources('?limit=1')).data).toHaveLength(1);
    expect(asked).toHaveLength(2);
    expect((await backend.request('GET', '/usage-sources?field=tags')).status).toBe(400);
  });

  test.each<[string, () => ReturnType<typeof answer>]>([
    ['answers 401', () => ({ status: 401, body: '{"message":"Unauthorized"}' })],
    ['answers 302', () => ({ status: 302, body: '', location: 'http://127.0.0.1:1/consumers' })],
    ['answers something else than consumers', () => ({ status: 200, body: '{"data":{}}' })],
    ['cannot be read', () => ({ status: 200, body: `{"data":[],"x":"${'x'.repeat(5_000_000)}"}` })],
    ['cannot be read', () => ({ status: 200, body: '<html>' })],
  ])('an Admin API that %s: the subjects seen, and why', async (reason, next) => {
    answer = next;
    const { source, data, warning } = await sources();
    expect([source, data[0].subject]).toEqual(['subjects_seen', 'acme']);
    expect(warning).toContain(reason);
    expect(warning).not.toContain('secret');
    expect(backend.logLines.join()).not.toContain('kong-admin-secret');
    answer = pages;
    expect((await sources()).source).toBe('kong_consumers');
  });
});
