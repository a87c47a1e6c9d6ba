import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { standsInStore } from '../../../support/control-engine.ts';

const SELF = 'http://localhost';
let backend: TestBackend;
beforeEach(async () => {
  backend = await createTestBackend();
});
afterEach(() => backend.close());

/** Exchanges a token for a session. @returns the cookie as a browser sends it, and how it was set */
async function signIn(token: string = TOKENS.admin, headers: Record<string, string> = {}) {
  const answer = await backend.request('POST', '/sessions', { token, headers });
  expect(answer.status).toBe(201);
  const setCookie = answer.headers.getSetCookie()[0] ?? '';
  return { session: answer.json, setCookie, cookie: setCookie.split(';', 1)[0] ?? '' };
}

/** A request of a page of ours. */
const asPage = (cookie: string, method: string, path: string, headers: Record<string, string> = { Origin: SELF }) =>
  backend.request(method, path, { token: null, headers: { Cookie: cookie, ...headers } });

describe('a session', () => {
  test('is begun with a token, is kept by the browser and no script, and opens what the token opens', async () => {
    const { session, setCookie, cookie } = await signIn(TOKENS.viewer);
    expect(setCookie).toMatch(/^metering-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(session).toMatchObject({
      method: 'access_token',
      name: 'viewer',
      role: 'viewer',
      grants: ['read', 'enforce'],
      created_at: '2026-11-21T12:00:00Z',
      expires_at: '2026-11-22T00:00:00Z',
    });
    expect((await asPage(cookie, 'GET', '/customers')).status).toBe(200);
    expect((await asPage(cookie, 'POST', '/tax-codes')).status).toBe(403);
    expect((await asPage(cookie, 'GET', '/sign-in')).json).toEqual({
      methods: [{ method: 'access_token' }],
      session,
    });
    const secret = cookie.split('=')[1] ?? '';
    expect(await standsInStore(backend.dataDir, secret)).toBe(false);
    expect(backend.logLines.join('')).not.toContain(secret);
  });

  test('behind TLS is bound to this host by its name, and the other name is not read', async () => {
    const tls = { 'X-Forwarded-Proto': 'https' };
    const { setCookie, cookie } = await signIn(TOKENS.viewer, tls);
    expect(setCookie).toMatch(/^__Host-metering-session=.*; HttpOnly; Secure; SameSite=Strict$/);
    expect((await asPage(cookie, 'GET', '/customers', tls)).status).toBe(200);
    expect((await asPage(cookie.replace('__Host-', ''), 'GET', '/customers', tls)).status).toBe(401);
    expect((await asPage(cookie, 'GET', '/customers')).status).toBe(401);
  });

  test('ends in its last second, and says so', async () => {
    const { cookie } = await signIn();
    backend.clock.set('2026-11-21T23:59:59.999Z');
    expect((await asPage(cookie, 'GET', '/customers')).status).toBe(200);
    backend.clock.set('2026-11-22T00:00:00Z');
    const over = await asPage(cookie, 'GET', '/customers');
    expect([over.status, over.json.detail]).toEqual([401, 'The session has ended. Sign in again.']);
    const state = await asPage(cookie, 'GET', '/sign-in');
    expect(state.json).toEqual({ methods: [{ method: 'access_token' }], session_ended: true });
    expect(state.headers.getSetCookie()[0]).toMatch(/^metering-session=; Max-Age=0; Path=\//);
  });

  test('ends with its token: when that expires and when it is revoked', async () => {
    const make = async (more: object) =>
      (await backend.request('POST', '/access-tokens', { body: { name: 'x', role: 'viewer', ...more } })).json;
    const short = await signIn((await make({ expires_at: '2026-11-21T13:00:00Z' })).token);
    expect(short.session.expires_at).toBe('2026-11-21T13:00:00Z');
    const { id, token } = await make({});
    const { cookie } = await signIn(token);
    await backend.request('DELETE', `/access-tokens/${id}`);
    expect((await backend.request('GET', '/sessions')).json.data).toHaveLength(1);
    expect((await asPage(cookie, 'GET', '/customers')).status).toBe(401);
  });

  test('is not begun with another session, and a token that is sent goes before it', async () => {
    const { cookie } = await signIn();
    const again = await asPage(cookie, 'POST', '/sessions');
    expect([again.status, again.json.extensions.validationErrors[0].code]).toEqual([409, 'session_needs_access_token']);
    expect((await asPage(cookie, 'GET', '/access-tokens/self')).status).toBe(200);
    // A token that is sent is what counts, and one that is wrong is not helped by a session.
    const both = await backend.request('GET', '/customers', {
      token: 'wrong-token-0123456789',
      headers: { Cookie: cookie },
    });
    expect(both.status).toBe(401);
  });
});

describe('a change with a session', () => {
  test.each([
    ['of a page of ours', 201, { 'Sec-Fetch-Site': 'same-origin' }],
    ['of ours in a browser that does not say the site', 201, { Origin: SELF }],
    ['of another site', 403, { 'Sec-Fetch-Site': 'cross-site', Origin: SELF }],
    ['of another port or a sister host', 403, { 'Sec-Fetch-Site': 'same-site' }],
    ['of another origin', 403, { Origin: 'http://localhost:8000' }],
    ['of a page without an origin', 403, { Origin: 'null' }],
    ['that says nothing', 403, {}],
  ])('%s answers %i', async (_name, status, headers) => {
    const { cookie } = await signIn();
    const answer = await backend.request('POST', '/access-tokens', {
      token: null,
      body: { name: 'made by a page', role: 'viewer' },
      headers: { Cookie: cookie, ...headers },
    });
    expect(answer.status).toBe(status);
    expect((await asPage(cookie, 'GET', '/customers', {})).status).toBe(200);
  });

  test('is judged by the address that the operator names', async () => {
    await backend.close();
    backend = await createTestBackend({ signIn: { publicUrl: 'https://billing.example.com' } });
    const { setCookie, cookie } = await signIn();
    expect(setCookie).toMatch(/^__Host-metering-session=.*Secure/);
    const change = async (Origin: string) =>
      (await asPage(cookie, 'POST', '/sessions/sign-out-everywhere', { Origin })).status;
    expect(await change(SELF)).toBe(403);
    expect(await change('https://billing.example.com')).toBe(200);
  });
});

describe('signing out', () => {
  test('ends this session and no other', async () => {
    const [here, there] = [await signIn(), await signIn()];
    const out = await asPage(here.cookie, 'DELETE', '/sessions/self');
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()[0]).toMatch(/^metering-session=; Max-Age=0/);
    expect((await asPage(here.cookie, 'GET', '/customers')).status).toBe(401);
    expect((await asPage(there.cookie, 'GET', '/customers')).status).toBe(200);
    expect((await backend.request('DELETE', '/sessions/self')).status).toBe(404);
  });

  test('everywhere ends all of the same token, and nobody else’s', async () => {
    const [here, there, viewer] = [await signIn(), await signIn(), await signIn(TOKENS.viewer)];
    const out = await asPage(here.cookie, 'POST', '/sessions/sign-out-everywhere');
    expect(out.json).toEqual({ ended: 2 });
    expect((await asPage(there.cookie, 'GET', '/customers')).status).toBe(401);
    expect((await asPage(viewer.cookie, 'GET', '/customers')).status).toBe(200);
  });

  test('another one is done by who administers; the audit log tells who came and went', async () => {
    const { session, cookie } = await signIn(TOKENS.viewer, { 'User-Agent': 'Firefox' });
    const listed = (await backend.request('GET', '/sessions')).json;
    expect(listed).toMatchObject({ data: [{ id: session.id, user_agent: 'Firefox' }], meta: { page: { total: 1 } } });
    expect((await asPage(cookie, 'GET', '/sessions')).status).toBe(403);
    expect((await backend.request('DELETE', `/sessions/${session.id}`)).status).toBe(204);
    expect((await backend.request('DELETE', `/sessions/${session.id}`)).status).toBe(404);
    expect((await asPage(cookie, 'GET', '/customers')).status).toBe(401);
    const mine = await signIn();
    await asPage(mine.cookie, 'DELETE', '/sessions/self');
    const log = (await backend.request('GET', '/audit-log?filter[resource_type]=sessions&sort=time asc')).json.data;
    expect(
      log.map(({ operation_id, actor, outcome }: Record<string, never> & { actor: { name: string } }) => [
        operation_id,
        actor.name,
        outcome,
      ]),
    ).toEqual([
      ['create-session', 'viewer', 'succeeded'],
      ['list-sessions', 'viewer', 'refused'],
      ['end-session', 'admin', 'succeeded'],
      ['end-session', 'admin', 'refused'],
      ['create-session', 'admin', 'succeeded'],
      ['sign-out', 'admin', 'succeeded'],
    ]);
  });
});

test('of one owner the newest hundred stay, and what has expired is forgotten', async () => {
  const first = await signIn(TOKENS.viewer);
  for (let at = 0; at < 100; at++) await signIn(TOKENS.viewer);
  expect((await backend.request('GET', '/sessions')).json.meta.page.total).toBe(100);
  expect((await asPage(first.cookie, 'GET', '/customers')).json.detail).toBe('The session is not valid.');
  backend.clock.set('2026-11-23T12:00:00Z');
  await signIn();
  expect((await backend.request('GET', '/sessions')).json.meta.page.total).toBe(1);
});
