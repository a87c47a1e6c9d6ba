import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type ConfiguredToken, createAccessTokens } from '../../../../backend/access/access-tokens/index.ts';
import { openControlDb } from '../../../../backend/platform/db/control-db.ts';
import { reusedBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { standsInStore } from '../../../support/control-engine.ts';
import { testScope } from '../../../support/scope.ts';
import { testClock } from '../../../support/test-clock.ts';

const reused = reusedBackend();
let backend: TestBackend;
beforeEach(async () => {
  backend = await reused.get();
});
afterAll(reused.close);

const create = (body: object) => backend.request('POST', '/access-tokens', { body });
const self = (token: string) => backend.request('GET', '/access-tokens/self', { token });

describe('a token', () => {
  test('is told once, works at once, and only its hash is stored', async () => {
    const made = await create({ name: 'gateway Berlin', role: 'ingest' });
    expect(made.status).toBe(201);
    const { token, ...rest } = made.json;
    expect(token).toMatch(/^spat_[\w-]{43}$/);
    expect(rest).toEqual({
      id: expect.any(String),
      name: 'gateway Berlin',
      kind: 'system',
      role: 'ingest',
      status: 'active',
      created_at: '2026-11-21T12:00:00Z',
    });
    expect((await self(token)).json).toMatchObject({ id: rest.id, name: 'gateway Berlin', role: 'ingest' });
    const listed = await backend.request('GET', `/access-tokens/${rest.id}`);
    expect(listed.json).toEqual({ ...rest, last_used_at: '2026-11-21T12:00:00Z' });
    expect(await standsInStore(backend.dataDir, token.slice(5))).toBe(false);
  });

  test('for a person begins with kpat_', async () => {
    const made = await create({ name: 'Alice', role: 'billing_admin', kind: 'personal' });
    expect(made.json.token).toMatch(/^kpat_[\w-]{43}$/);
  });

  test('stops working at once when it is revoked, and is gone from the list', async () => {
    const { id, token } = (await create({ name: 'gone', role: 'viewer' })).json;
    expect((await self(token)).status).toBe(200);
    expect((await backend.request('DELETE', `/access-tokens/${id}`)).status).toBe(204);
    expect((await self(token)).status).toBe(401);
    expect((await backend.request('GET', `/access-tokens/${id}`)).status).toBe(404);
    expect((await backend.request('DELETE', `/access-tokens/${id}`)).status).toBe(404);
  });

  test('stops working in the instant of its expiry, says so, and stays listed until it is revoked', async () => {
    const { id, token } = (await create({ name: 'short', role: 'viewer', expires_at: '2026-11-21T12:01:00Z' })).json;
    backend.clock.set('2026-11-21T12:00:59.999Z');
    expect((await self(token)).status).toBe(200);
    backend.clock.set('2026-11-21T12:01:00Z');
    const refused = await self(token);
    expect(refused.status).toBe(401);
    expect(refused.json.detail).toContain('expired at 2026-11-21T12:01:00Z');
    const expired = await backend.request('GET', '/access-tokens?filter[status]=expired');
    expect(expired.json.data).toMatchObject([{ id, status: 'expired' }]);
    expect((await backend.request('DELETE', `/access-tokens/${id}`)).status).toBe(204);
  });

  test.each([
    ['no name', { role: 'viewer' }, 'name'],
    ['an unknown role', { name: 'x', role: 'root' }, 'role'],
    ['an expiry that has passed', { name: 'x', role: 'viewer', expires_at: '2026-11-21T12:00:00Z' }, 'expires_at'],
    ['a kind that only configurations have', { name: 'x', role: 'viewer', kind: 'configured' }, 'kind'],
    ['a token of one’s own choice', { name: 'x', role: 'viewer', token: 'spat_mine' }, 'token'],
  ])('is refused: %s', async (_name, body, field) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0].field).toBe(field);
  });
});

describe('the list', () => {
  test('has configured tokens first, filters and pages; a configured one cannot be revoked', async () => {
    await create({ name: 'a', role: 'viewer' });
    await create({ name: 'b', role: 'ingest', kind: 'personal' });
    const all = (await backend.request('GET', '/access-tokens')).json;
    expect(all.meta.page.total).toBe(Object.keys(TOKENS).length + 2);
    expect(all.data.slice(-2).map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    const names = async (query: string) =>
      (await backend.request('GET', `/access-tokens?${query}`)).json.data.map(({ name }: { name: string }) => name);
    expect(await names('filter[kind]=personal')).toEqual(['b']);
    expect(await names('filter[role]=viewer&filter[name][neq]=viewer')).toEqual(['a']);
    expect(await names('filter[kind][neq]=configured&page[size]=1&page[number]=2')).toEqual(['b']);
    const [configured] = (await backend.request('GET', '/access-tokens?filter[kind]=configured')).json.data;
    const refused = await backend.request('DELETE', `/access-tokens/${configured.id}`);
    expect(refused.status).toBe(409);
    expect(refused.json.extensions.validationErrors[0].code).toBe('access_token_configured');
    expect(refused.json.detail).toContain('set by the configuration');
  });
});

/** The module alone, on a database of its own. */
async function alone() {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
  const clock = testClock();
  const db = openControlDb(join(folder, 'control.sqlite'), 'backend/migrations');
  const open = (configured: readonly ConfiguredToken[] = []) =>
    createAccessTokens({ scope: testScope(db, clock), configured });
  const close = async () => {
    await db.close();
    rmSync(folder, { recursive: true });
  };
  return { clock, open, close, file: join(folder, 'admin-token') };
}

describe('the last token that can administer', () => {
  test('stays; the first one can go once there is another', async () => {
    const { open, close, file } = await alone();
    const tokens = await open();
    const first = (await tokens.createFirstToken(file)) ?? '';
    const firstId = (await tokens.verify(first))?.tokenId ?? '';
    const message = expect.stringContaining('last token without an expiry that can administer');
    const rejection = { kind: 'resource-conflict', message };
    await expect(tokens.revoke(firstId)).rejects.toMatchObject(rejection);
    await tokens.create({ name: 'viewer', role: 'viewer', kind: 'system' });
    await expect(tokens.revoke(firstId)).rejects.toMatchObject(rejection);
    // It would be the only one, until it expires.
    const expires_at = '2027-01-01T00:00:00Z';
    const temporary = await tokens.create({ name: 'temporary', role: 'admin', kind: 'personal', expires_at });
    await expect(tokens.revoke(firstId)).rejects.toMatchObject(rejection);
    await tokens.revoke(temporary.id);
    const second = await tokens.create({ name: 'second', role: 'admin', kind: 'system' });
    const both = await Promise.allSettled([tokens.revoke(firstId), tokens.revoke(second.id)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await tokens.verify(first)).toBeUndefined();
    await close();
  });

  test('a start makes a first one again when the ones there are have expired and none is configured', async () => {
    const { clock, open, close, file } = await alone();
    const configured = await open([{ name: 'ADMIN_TOKEN', role: 'admin', token: 'configured-0123456789' }]);
    const expires_at = '2026-11-22T12:00:00Z';
    await configured.create({ name: 'temporary', role: 'admin', kind: 'personal', expires_at });
    expect(await (await open()).createFirstToken(file)).toBeUndefined();
    clock.set(expires_at);
    expect(await (await open()).createFirstToken(file)).toMatch(/^spat_/);
    expect(await (await open()).createFirstToken(file)).toBeUndefined();
    await close();
  });
});

test('the last use is on disk after the first use and about once a minute; a shutdown stores the rest', async () => {
  const { clock, open, close, file } = await alone();
  const tokens = await open();
  const token = (await tokens.createFirstToken(file)) ?? '';
  const stored = async () => (await (await open()).list())[0]?.last_used_at;
  await tokens.verify(token);
  await expect.poll(stored).toBe('2026-11-21T12:00:00Z');
  clock.advanceMs(59_000);
  await tokens.verify(token);
  expect((await tokens.list())[0]?.last_used_at).toBe('2026-11-21T12:00:59Z');
  expect(await stored()).toBe('2026-11-21T12:00:00Z');
  clock.advanceMs(1_000);
  await tokens.verify(token);
  await expect.poll(stored).toBe('2026-11-21T12:01:00Z');
  clock.advanceMs(1_000);
  await tokens.verify(token);
  await tokens.close();
  expect(await stored()).toBe('2026-11-21T12:01:01Z');
  await close();
});
