import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { returnPath } from '../../../../backend/access/sign-in/oidc/return-to.ts';
import { roleOfClaims } from '../../../../backend/access/sign-in/oidc/role-of-claims.ts';
import { createSessions } from '../../../../backend/access/sign-in/sessions.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import {
  CLIENT,
  createJar,
  passProvider,
  startOidcProvider,
  type TestProvider,
} from '../../../support/oidc-provider.ts';
import { testScope } from '../../../support/scope.ts';

const PUBLIC_URL = 'https://billing.example.com';
const START = '/v3/openmeter/sign-in/oidc';
let provider: TestProvider;
let backend: TestBackend;
beforeAll(async () => {
  provider = await startOidcProvider(`${PUBLIC_URL}${START}/callback`);
  backend = await backendFor(provider.issuer);
});
afterAll(async () => {
  await backend.close();
  await provider.stop();
});

const backendFor = (issuer: string, clientSecret = CLIENT.secret) =>
  createTestBackend({
    signIn: {
      publicUrl: PUBLIC_URL,
      oidc: {
        issuer,
        clientId: CLIENT.id,
        clientSecret,
        name: 'Example',
        scopes: 'openid profile',
        roleClaim: 'groups',
        roles: [
          ['cn=admins,dc=example', 'admin'],
          ['sales', 'billing_admin'],
        ],
      },
    },
  });

/** A browser at our server. */
let jar: ReturnType<typeof createJar>;
beforeEach(() => {
  jar = createJar();
  provider.people.clear();
});
/** The other end of the connection, where it matters. */
const FROM = { incoming: { socket: { remoteAddress: '10.1.2.3' } } };
async function visit(address: string, to = backend, env = {}) {
  const { pathname, search } = new URL(address, PUBLIC_URL);
  const response = await to.app.request(`${pathname}${search}`, { headers: { Cookie: jar.header() } }, env);
  jar.take(response.headers);
  return { status: response.status, location: response.headers.get('location') ?? '', headers: response.headers };
}

describe('signing in over OpenID Connect', () => {
  test('begins a session with the role that the provider’s claim gives, and comes back to the page', async () => {
    provider.people.set('alice', { name: 'Alice Archer', groups: ['staff', 'sales'] });
    const start = await visit(`${START}?return_to=/billing/customers%3Fpage%3D2`);
    const asked = new URL(start.location);
    expect([start.status, asked.origin]).toEqual([302, provider.issuer]);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.any(String),
      redirect_uri: `${PUBLIC_URL}${START}/callback`,
    });
    expect(start.headers.getSetCookie()[0]).toMatch(
      /^__Host-metering-sign-in=[\w-]+; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const answer = await passProvider(start.location, 'alice');
    const back = await visit(answer);
    expect([back.status, back.location]).toEqual([302, '/billing/customers?page=2']);
    const state = await backend.request('GET', '/sign-in', { token: null, headers: { Cookie: jar.header() } });
    expect(state.json).toMatchObject({
      methods: [{ method: 'access_token' }, { method: 'oidc', name: 'Example', start_path: START }],
      session: { method: 'oidc', name: 'Alice Archer', role: 'billing_admin' },
    });
    // The code, and the flow, are good for once.
    const again = await visit(answer);
    expect(again.location).toBe('/?sign_in=expired');

    const log = (await backend.request('GET', '/audit-log?filter[resource_type]=sessions')).json.data;
    expect(log).toMatchObject([
      { operation_id: 'finish-oidc-sign-in', outcome: 'succeeded', actor: { id: state.json.session.actor_id } },
    ]);
    const headers = { Cookie: jar.header(), Origin: PUBLIC_URL };
    const made = await backend.request('POST', '/tax-codes', {
      token: null,
      headers,
      body: { key: 'x', name: 'X', app_mappings: [] },
    });
    expect(made.status).toBe(201);
    expect((await backend.request('POST', '/access-tokens', { token: null, headers, body: {} })).status).toBe(403);
  });

  test('the same person is the same one after being renamed; sign-out everywhere ends what each device has', async () => {
    const ids: string[] = [];
    for (const name of ['Bob', 'Robert']) {
      jar = createJar();
      provider.people.set('bob', { name, groups: ['cn=admins,dc=example'] });
      await visit(await passProvider((await visit(START)).location, 'bob'));
      const state = await backend.request('GET', '/sign-in', { token: null, headers: { Cookie: jar.header() } });
      expect(state.json.session).toMatchObject({ name, role: 'admin' });
      ids.push(state.json.session.actor_id);
    }
    expect(ids[0]).toBe(ids[1]);
    const headers = { Cookie: jar.header(), Origin: PUBLIC_URL };
    const out = await backend.request('POST', '/sessions/sign-out-everywhere', { token: null, headers });
    expect(out.json).toEqual({ ended: 2 });
  });

  test('refuses who has none of the roles, who does not want to, and what belongs to another browser', async () => {
    provider.people.set('carol', { name: 'Carol', groups: ['staff'] });
    const carol = await visit(await passProvider((await visit(`${START}?return_to=/metering`)).location, 'carol'));
    expect(carol.location).toBe('/metering?sign_in=no_role');
    const denied = await visit(await passProvider((await visit(START)).location, undefined));
    expect(denied.location).toBe('/?sign_in=denied');

    // Mallory has the victim's browser finish what Mallory began.
    provider.people.set('mallory', { groups: ['sales'] });
    const answer = await passProvider((await visit(START)).location, 'mallory');
    jar = createJar();
    expect((await visit(answer)).location).toBe('/?sign_in=expired');
    await visit(START);
    expect((await visit(answer)).location).toBe('/?sign_in=failed');
    expect(jar.header()).not.toContain('metering-session');
    expect(backend.logLines.join('')).not.toMatch(new RegExp(`code=|${CLIENT.secret}`));
  });

  test('a wrong client secret, and a provider that is not there, are told in the log and on the page', async () => {
    provider.people.set('alice', { groups: ['sales'] });
    const wrong = await backendFor(provider.issuer, 'another-secret-0123456789');
    const answer = await passProvider((await visit(START, wrong)).location, 'alice');
    expect((await visit(answer, wrong)).location).toBe('/?sign_in=failed');
    expect(wrong.logLines.join('')).toContain('invalid_client');
    await wrong.close();
    const gone = await backendFor('http://127.0.0.1:1');
    expect((await visit(START, gone)).location).toBe('/?sign_in=failed');
    expect(gone.logLines.join('')).toContain('could not be asked');
    // Each costs a request elsewhere: not without end.
    const statuses: number[] = [];
    for (let at = 0; at < 22; at++) statuses.push((await visit(`${START}/callback`, gone, FROM)).status);
    expect(statuses).toEqual([...Array<number>(20).fill(302), 429, 429]);
    await gone.close();
  });

  test('opens nothing any more when it is turned off', async () => {
    provider.people.set('bob', { name: 'Bob', groups: ['cn=admins,dc=example'] });
    expect((await visit(await passProvider((await visit(START)).location, 'bob'))).location).toBe('/');
    const secret = jar.header().split('metering-session=')[1]?.split(';', 1)[0] ?? '';
    const { db, clock } = backend;
    const tokens = { current: async () => undefined, use: async () => undefined };
    const parts = { scope: testScope(db, clock), tokens, lifetimeMs: 1 };
    expect((await createSessions({ ...parts, hasProvider: true }).find(secret))?.session.method).toBe('oidc');
    const off = createSessions({ ...parts, hasProvider: false });
    await expect(off.find(secret)).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  test('is off unless it is set up', async () => {
    const plain = await createTestBackend();
    expect((await visit(START, plain)).status).toBe(404);
    expect((await plain.request('GET', '/sign-in')).json.methods).toEqual([{ method: 'access_token' }]);
    await plain.close();
  });
});

test.each([
  ['/billing/customers?page=2', '/billing/customers?page=2'],
  [undefined, '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/..//evil.example', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  [`/${'a'.repeat(2000)}`, '/'],
])('after signing in for %j one comes to %j', (asked, expected) => {
  expect(returnPath(asked, PUBLIC_URL)).toBe(expected);
});

test.each([
  [{ roles: ['viewer', 'billing_admin'] }, 'roles', undefined, 'billing_admin'],
  [{ roles: 'admin' }, 'roles', undefined, 'admin'],
  [{ roles: ['ingest', 'root'] }, 'roles', undefined, undefined],
  [{ realm_access: { roles: ['viewer'] } }, 'realm_access.roles', undefined, 'viewer'],
  [{ 'https://example.com/roles': ['viewer'] }, 'https://example.com/roles', undefined, 'viewer'],
  [
    { groups: ['sales'] },
    'groups',
    [
      ['*', 'viewer'],
      ['sales', 'billing_admin'],
    ],
    'billing_admin',
  ],
  [{}, 'groups', [['*', 'viewer']], 'viewer'],
  [{ groups: ['admin'] }, 'groups', [['sales', 'viewer']], undefined],
  [{}, '__proto__.constructor', undefined, undefined],
] as const)('claims %j by %s with %j give %s', (claims, claim, mapping, role) => {
  expect(roleOfClaims(claims, claim, mapping)).toBe(role);
});
