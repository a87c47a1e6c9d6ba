import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { standsInStore } from '../../../support/control-engine.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const entries = async (query = '') => (await backend.request('GET', `/audit-log?${query}`)).json.data;
const latest = async () => (await entries('page[size]=1'))[0];
const FEE = { key: 'fee', name: 'Fee', billing_cadence: 'P1M', price: { type: 'flat', amount: '1' } };
const createCustomer = async (key: string) =>
  (await backend.request('POST', '/customers', { body: { key, name: key } })).json;

describe('a change', () => {
  test('is recorded with who, what, before and after', async () => {
    const made = await createCustomer('alice');
    expect(await latest()).toEqual({
      id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      time: '2026-11-21T12:00:00Z',
      actor: { id: expect.any(String), name: 'admin', role: 'admin' },
      operation_id: 'create-customer',
      method: 'POST',
      path: '/v3/openmeter/customers',
      resource: { type: 'customers', id: made.id },
      outcome: 'succeeded',
      status: 201,
      request_id: expect.any(String),
      request: { key: 'alice', name: 'alice' },
      after: made,
    });

    backend.clock.advanceMs(1000);
    const token = TOKENS.billing_admin;
    const changed = await backend.request('PUT', `/customers/${made.id}`, { token, body: { name: 'Alice' } });
    expect(await latest()).toMatchObject({
      time: '2026-11-21T12:00:01Z',
      actor: { name: 'billing_admin', role: 'billing_admin' },
      operation_id: 'upsert-customer',
      resource: { type: 'customers', id: made.id },
      before: made,
      after: changed.json,
    });

    await backend.request('DELETE', `/customers/${made.id}`);
    const removal = await latest();
    expect(removal).toMatchObject({ operation_id: 'delete-customer', status: 204, before: changed.json });
    expect(removal.after?.deleted_at).toBeDefined();
    expect((await backend.request('GET', `/audit-log/${removal.id}`)).json).toEqual(removal);
  });

  test('that its operation refuses is recorded with the status, and changed nothing', async () => {
    await createCustomer('bob');
    const again = await backend.request('POST', '/customers', { body: { key: 'bob', name: 'again' } });
    expect(again.status).toBe(409);
    const entry = await latest();
    expect(entry).toMatchObject({ outcome: 'refused', status: 409, request: { name: 'again' } });
    expect(entry.after).toBeUndefined();
  });

  test('of a part of a resource, an action, and a next version each name their resource', async () => {
    const customer = await createCustomer('carol');
    await backend.request('PUT', `/customers/${customer.id}/billing`, { body: {} });
    expect((await latest()).resource).toEqual({ type: 'customers/billing', id: customer.id });
    const plan = (
      await backend.request('POST', '/plans', {
        body: {
          key: 'pro',
          name: 'Pro',
          currency: 'USD',
          billing_cadence: 'P1M',
          phases: [{ key: 'default', name: 'Default', rate_cards: [FEE] }],
        },
      })
    ).json;
    expect((await latest()).resource).toEqual({ type: 'plans', id: plan.id });
    await backend.request('POST', `/plans/${plan.id}/publish`);
    expect(await latest()).toMatchObject({
      operation_id: 'publish-plan',
      resource: { type: 'plans', id: plan.id },
      before: { status: 'draft' },
      after: { status: 'active' },
    });
    const next = (await backend.request('POST', `/plans/${plan.id}/next`)).json;
    const entry = await latest();
    expect(entry).toMatchObject({ resource: { type: 'plans', id: next.id }, after: { version: 2 } });
    expect(entry.before).toBeUndefined();
  });

  test('of access tokens never tells the token', async () => {
    const made = (await backend.request('POST', '/access-tokens', { body: { name: 'x', role: 'viewer' } })).json;
    expect((await latest()).after).toEqual({ ...made, token: '[redacted]' });
    // Somebody may put one where it does not belong.
    await createCustomer('dave');
    const labels = { leak: made.token };
    await backend.request('POST', '/customers', { body: { key: 'erin', name: made.token, labels } });
    await backend.request('DELETE', `/access-tokens/${made.id}`);
    expect(await latest()).toMatchObject({ operation_id: 'revoke-access-token', before: { id: made.id } });
    expect(JSON.stringify(await entries('page[size]=100'))).not.toContain(made.token);
  });
});

describe('nothing is recorded', () => {
  test('of events, queries, trial runs, and bodies that are no request of the operation', async () => {
    const before = await latest();
    const customer = await createCustomer('frank');
    await backend.request('POST', '/events', { body: { id: '1', source: 's', type: 't', subject: 'frank' } });
    await backend.request('GET', `/customers/${customer.id}`);
    await backend.request('POST', '/entitlement-access/query', { body: { customers: ['frank'], features: ['x'] } });
    await backend.request('POST', '/events/corrections', {
      body: { action: 'void', reason: 'trial', filter: { subject: { eq: 'frank' } }, dry_run: true },
    });
    expect((await backend.request('POST', '/customers', { body: { key: '' } })).status).toBe(400);
    const since = await entries(`sort=time asc&page[after]=${before.id}`);
    expect(since.map(({ operation_id }: { operation_id: string }) => operation_id)).toEqual(['create-customer']);
  });
});

test('requests that a role does not allow are recorded, sixty a minute of each token', async () => {
  backend.clock.advanceMs(60_000);
  const before = await latest();
  const attempt = (token: string) => backend.request('POST', '/meters', { token, body: { name: 'x' } });
  for (let count = 0; count < 62; count++) expect((await attempt(TOKENS.ingest)).status).toBe(403);
  await attempt(TOKENS.viewer);
  const refused = await entries(`sort=time asc&page[size]=100&page[after]=${before.id}`);
  expect(refused).toHaveLength(61);
  expect(refused[0]).toMatchObject({
    actor: { name: 'ingest' },
    operation_id: 'create-meter',
    outcome: 'refused',
    status: 403,
  });
  expect(refused[0].request).toBeUndefined();
  backend.clock.advanceMs(60_000);
  await attempt(TOKENS.ingest);
  expect((await latest()).actor.name).toBe('ingest');
});

describe('the list', () => {
  test('filters', async () => {
    const customer = await createCustomer('grace');
    await backend.request('DELETE', `/customers/${customer.id}`);
    const [entry] = await entries();
    const ids = async (query: string) =>
      (await entries(query)).map(({ operation_id }: { operation_id: string }) => operation_id);
    const own = ['delete-customer', 'create-customer'];
    expect(await ids(`filter[resource_id]=${customer.id}`)).toEqual(own);
    expect(await ids(`filter[resource_type]=customers&page[size]=2`)).toEqual(own);
    expect(await ids(`filter[operation_id]=create-customer&filter[resource_id]=${customer.id}`)).toEqual([own[1]]);
    expect(await ids(`filter[actor]=admin&filter[role]=admin&filter[actor_id]=${entry.actor.id}&page[size]=2`)).toEqual(
      own,
    );
    expect(await ids(`filter[outcome]=refused&filter[operation_id]=create-customer`)).toEqual(['create-customer']);
    expect(await ids(`filter[time][gte]=${entry.time}&page[size]=2`)).toEqual(own);
    expect(await ids(`filter[time][gt]=${entry.time}`)).toEqual([]);
  });

  test('goes on after a cursor, in both directions of time', async () => {
    const all = await entries('page[size]=100&filter[resource_type]=customers');
    for (const direction of ['asc', 'desc']) {
      const seen: string[] = [];
      let after: string | null = '';
      while (after !== null) {
        const cursor: string = after === '' ? '' : `&page[after]=${after}`;
        const query = `/audit-log?filter[resource_type]=customers&sort=time ${direction}&page[size]=4${cursor}`;
        const page = (await backend.request('GET', query)).json;
        seen.push(...page.data.map(({ id }: { id: string }) => id));
        after = page.meta.page.next;
      }
      const expected = all.map(({ id }: { id: string }) => id);
      expect(seen).toEqual(direction === 'desc' ? expected : expected.reverse());
    }
    expect((await backend.request('GET', '/audit-log?page[after]=x')).status).toBe(400);
  });

  test('is for those who administer only', async () => {
    for (const token of [TOKENS.billing_admin, TOKENS.viewer]) {
      expect((await backend.request('GET', '/audit-log', { token })).status).toBe(403);
    }
  });
});

test('no token that was sent stands in the log, in an answer, or in a file', async () => {
  const { token } = (await backend.request('POST', '/access-tokens', { body: { name: 'y', role: 'admin' } })).json;
  const wrong = 'spat_wrong-0123456789-0123456789-0123456789abcd';
  const answers = [
    await backend.request('GET', '/meters', { token }),
    await backend.request('GET', '/meters', { token: wrong }),
    await backend.request('GET', `/nothing/${token}`, { token }),
    await backend.request('GET', `/customers/${token}`, { token }),
    await backend.request('POST', `/built-in-meters/${token}/enable`, { token }),
    await backend.request('POST', '/customers', { token, body: { key: token, name: 'z', [token]: 1 } }),
    await backend.request('POST', '/customers', {
      token,
      rawBody: `{"key": "${token}" ${token}`,
      headers: { 'Content-Type': 'application/json' },
    }),
    await backend.request('GET', `/meters?filter[${token}]=${token}`, { token }),
    await backend.request('GET', '/meters', { token, headers: { 'X-Request-Id': token } }),
  ];
  const told = answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join('\n');
  for (const secret of [token, wrong, TOKENS.admin]) {
    expect(told).not.toContain(secret);
    expect(backend.logLines.join('')).not.toContain(secret);
    expect(await standsInStore(backend.dataDir, secret)).toBe(false);
  }
});

test('entries go when they are old, the oldest first, and never by the API', async () => {
  const newest = await latest();
  const total = (await entries('page[size]=100')).length;
  expect(await backend.auditLog.expire(400)).toEqual({ removed: 0, state: 'done' });
  backend.clock.advanceMs(400 * 86_400_000 + 1);
  await createCustomer('heidi');
  const { removed, state } = await backend.auditLog.expire(400);
  expect({ removed: removed >= total, state }).toEqual({ removed: true, state: 'done' });
  const left = await entries();
  expect(left.map(({ operation_id }: { operation_id: string }) => operation_id)).toEqual(['create-customer']);
  expect((await backend.request('DELETE', `/audit-log/${left[0].id}`)).status).toBe(405);
  expect((await backend.request('GET', `/audit-log/${newest.id}`)).status).toBe(404);
});
