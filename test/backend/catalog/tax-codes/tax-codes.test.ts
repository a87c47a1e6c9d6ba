import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, refused, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const call = (method: string, path: string, body?: unknown) =>
  backend.request(method, path, body === undefined ? {} : { body });
const create = async (key: string, fields: Record<string, unknown> = {}): Promise<Json> => {
  const answer = await call('POST', '/tax-codes', { key, name: key, app_mappings: [], ...fields });
  expect(answer).toMatchObject({ status: 201 });
  return answer.json;
};
const all = async (query = ''): Promise<Json[]> => (await call('GET', `/tax-codes?page[size]=1000${query}`)).json.data;
const system = async (key: string): Promise<Json> => (await all()).find((taxCode) => taxCode.key === key);

const FULL = {
  key: 'saas',
  name: 'Software as a service',
  description: 'For business use',
  labels: { env: 'test' },
  app_mappings: [
    { app_type: 'stripe', tax_code: 'txcd_10103001' },
    { app_type: 'external_invoicing', tax_code: 'S-1' },
    { app_type: 'sandbox', tax_code: 'any' },
  ],
};

describe('POST /tax-codes', () => {
  test('201: answers what was sent, with id and times, and only that', async () => {
    const { status, json } = await call('POST', '/tax-codes', FULL);
    expect(status).toBe(201);
    const at = '2026-11-21T12:00:00Z';
    expect(json).toEqual({ ...FULL, id: expect.any(String), created_at: at, updated_at: at });
    expect((await call('GET', `/tax-codes/${json.id}`)).json).toEqual(json);
  });

  const mapping = (...app_mappings: unknown[]) => ({ app_mappings });
  const stripe = (tax_code: unknown) => ({ app_type: 'stripe', tax_code });
  test.each([
    ['no mappings', { app_mappings: undefined }, 'app_mappings required'],
    ['no key', { key: undefined }, 'key required'],
    ['a key with a dash', { key: 'a-b' }, 'key matches_regex'],
    ['no name', { name: undefined }, 'name required'],
    ['an unknown field', { code: 'x' }, 'code unknown_property'],
    ['an unknown app', mapping({ app_type: 'paypal', tax_code: 'x' }), 'app_mappings.0.app_type enum'],
    ['an empty code', mapping({ app_type: 'sandbox', tax_code: '' }), 'app_mappings.0.tax_code min_length'],
    ['a code that is not Stripe’s', mapping(stripe('txcd_1')), 'app_mappings.0.tax_code matches_regex'],
    ['a number', mapping(stripe(1)), 'app_mappings.0.tax_code type'],
    ['an app twice', mapping(stripe('txcd_10000000'), stripe('txcd_10000001')), 'app_mappings.1.app_type invalid'],
  ])('400: %s', async (_name, fields, expected) => {
    const answer = await call('POST', '/tax-codes', { key: 'refused', name: 'n', app_mappings: [], ...fields });
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
  });

  test('409: a key in use, the system’s too; free again once its tax code is deleted', async () => {
    const first = await create('taken');
    for (const [key, id] of [
      ['taken', first.id],
      ['default', (await system('default')).id],
    ]) {
      expect(await call('POST', '/tax-codes', { key, name: 'n', app_mappings: [] })).toMatchObject({
        status: 409,
        json: { extensions: { conflictingEntityId: id } },
      });
    }
    await call('DELETE', `/tax-codes/${first.id}`);
    expect((await create('taken')).id).not.toBe(first.id);
  });
});

describe('PUT /tax-codes/{taxCodeId}', () => {
  test('200: replaces everything but the key', async () => {
    const taxCode = await create('replaced', { description: 'd', labels: { a: 'b' } });
    backend.clock.advanceMs(1000);
    const change = { name: 'Other', app_mappings: [{ app_type: 'stripe', tax_code: 'txcd_20030000' }] };
    const { status, json } = await call('PUT', `/tax-codes/${taxCode.id}`, change);
    expect(status).toBe(200);
    const { id, key, created_at } = taxCode;
    expect(json).toEqual({ id, key, created_at, ...change, updated_at: json.updated_at });
    expect(json.updated_at > created_at).toBe(true);
    expect((await call('GET', `/tax-codes/${id}`)).json).toEqual(json);
  });

  test('400: a key, and no mappings', async () => {
    const { id } = await create('put_refused');
    expect(refused(await call('PUT', `/tax-codes/${id}`, { name: 'n', app_mappings: [], key: 'k' }))).toEqual([
      'key unknown_property',
    ]);
    expect(refused(await call('PUT', `/tax-codes/${id}`, { name: 'n' }))).toEqual(['app_mappings required']);
  });

  test('410: a deleted one', async () => {
    const { id } = await create('put_deleted');
    await call('DELETE', `/tax-codes/${id}`);
    expect((await call('PUT', `/tax-codes/${id}`, { name: 'n', app_mappings: [] })).status).toBe(410);
  });
});

test('DELETE /tax-codes/{taxCodeId}: 204 twice; read by id, listed only when asked for', async () => {
  const taxCode = await create('deleted');
  backend.clock.advanceMs(1000);
  expect(await call('DELETE', `/tax-codes/${taxCode.id}`)).toMatchObject({ status: 204, text: '' });
  const deleted = (await call('GET', `/tax-codes/${taxCode.id}`)).json;
  expect(deleted).toEqual({ ...taxCode, updated_at: deleted.deleted_at, deleted_at: expect.any(String) });
  backend.clock.advanceMs(1000);
  expect(await call('DELETE', `/tax-codes/${taxCode.id}`)).toMatchObject({ status: 204 });
  expect((await call('GET', `/tax-codes/${taxCode.id}`)).json).toEqual(deleted);
  expect(await all()).not.toContainEqual(deleted);
  expect(await all('&include_deleted=false')).not.toContainEqual(deleted);
  expect(await all('&include_deleted=true')).toContainEqual(deleted);
  expect((await call('GET', '/tax-codes?include_deleted=maybe')).status).toBe(400);
});

test('GET /tax-codes: pages, the oldest first', async () => {
  const created = [await create('page_1'), await create('page_2'), await create('page_3')];
  const { total } = (await call('GET', '/tax-codes?page[size]=1')).json.meta.page;
  const last = await call('GET', `/tax-codes?page[size]=1&page[number]=${total}`);
  expect(last.json).toEqual({ data: [created[2]], meta: { page: { number: total, size: 1, total } } });
  expect((await all()).slice(-3)).toEqual(created);
  expect((await call('GET', `/tax-codes?page[number]=${total + 1}`)).json.data).toEqual([]);
  expect((await call('GET', '/tax-codes?page[size]=0')).status).toBe(400);
});

describe('the system’s own', () => {
  test('are there, first, and are the first defaults', async () => {
    const [provider, nontaxable] = await all();
    expect([provider, nontaxable]).toMatchObject([
      { key: 'default', name: 'Provider default', app_mappings: [] },
      { key: 'nontaxable', app_mappings: [{ app_type: 'stripe', tax_code: 'txcd_00000000' }] },
    ]);
    expect(await call('GET', '/defaults/tax-codes')).toMatchObject({
      status: 200,
      json: { invoicing_tax_code: { id: provider.id }, credit_grant_tax_code: { id: nontaxable.id } },
    });
  });

  test('409: are not changed or deleted', async () => {
    const { id } = await system('nontaxable');
    const code = { extensions: { validationErrors: [{ code: 'tax_code_managed_by_system' }] } };
    const change = { name: 'n', app_mappings: [] };
    expect(await call('PUT', `/tax-codes/${id}`, change)).toMatchObject({ status: 409, json: code });
    expect(await call('DELETE', `/tax-codes/${id}`)).toMatchObject({ status: 409, json: code });
    expect((await system('nontaxable')).name).toBe('Nontaxable');
  });
});

describe('/defaults/tax-codes', () => {
  test('200: changes what is sent; a default is not deleted', async () => {
    const before = (await call('GET', '/defaults/tax-codes')).json;
    const taxCode = await create('by_default');
    const changed = await call('PUT', '/defaults/tax-codes', { invoicing_tax_code: { id: taxCode.id } });
    expect(changed).toMatchObject({ status: 200 });
    expect(changed.json).toEqual({
      ...before,
      invoicing_tax_code: { id: taxCode.id },
      updated_at: changed.json.updated_at,
    });
    expect((await call('GET', '/defaults/tax-codes')).json).toEqual(changed.json);
    expect(await call('DELETE', `/tax-codes/${taxCode.id}`)).toMatchObject({
      status: 409,
      json: { extensions: { validationErrors: [{ code: 'tax_code_is_organization_default' }] } },
    });
    const { invoicing_tax_code } = before;
    const back = await call('PUT', '/defaults/tax-codes', { invoicing_tax_code });
    expect(back.json.invoicing_tax_code).toEqual(invoicing_tax_code);
    expect((await call('DELETE', `/tax-codes/${taxCode.id}`)).status).toBe(204);
  });

  test('404: a tax code that does not exist, or was deleted', async () => {
    const before = (await call('GET', '/defaults/tax-codes')).json;
    const { id } = await create('deleted_default');
    await call('DELETE', `/tax-codes/${id}`);
    for (const missing of [UNKNOWN_ID, id]) {
      expect(await call('PUT', '/defaults/tax-codes', { credit_grant_tax_code: { id: missing } })).toMatchObject({
        status: 404,
        json: {
          extensions: { validationErrors: [{ code: 'tax_code_not_found', field: 'credit_grant_tax_code.id' }] },
        },
      });
    }
    expect((await call('GET', '/defaults/tax-codes')).json).toEqual(before);
  });

  test('400: what is no reference', async () => {
    expect(refused(await call('PUT', '/defaults/tax-codes', { invoicing_tax_code: { id: 'default' } }))).toEqual([
      'invoicing_tax_code.id matches_regex',
    ]);
    expect(refused(await call('PUT', '/defaults/tax-codes', { invoicing: {} }))).toEqual([
      'invoicing unknown_property',
    ]);
  });
});

describe('every operation', () => {
  test('401 without a token, 403 for what the role does not include', async () => {
    const taxCode = await create('roles');
    const change = { name: 'n', app_mappings: [] };
    const operations: [string, string, unknown?][] = [
      ['POST', '/tax-codes', { ...change, key: 'by_role' }],
      ['GET', '/tax-codes'],
      ['GET', `/tax-codes/${taxCode.id}`],
      ['PUT', `/tax-codes/${taxCode.id}`, change],
      ['DELETE', `/tax-codes/${taxCode.id}`],
      ['GET', '/defaults/tax-codes'],
      ['PUT', '/defaults/tax-codes', {}],
    ];
    for (const [method, path, body] of operations) {
      const as = (token: string | null) =>
        backend.request(method, path, { token, ...(body !== undefined && { body }) });
      expect((await as(null)).status).toBe(401);
      expect((await as(TOKENS.ingest)).status).toBe(403);
      expect((await as(TOKENS.viewer)).status).toBe(method === 'GET' ? 200 : 403);
    }
    expect((await call('GET', `/tax-codes/${taxCode.id}`)).json).toEqual(taxCode);
  });

  test('404 for an unknown id, and for what is no id', async () => {
    for (const id of [UNKNOWN_ID, 'default', UNKNOWN_ID.toLowerCase()]) {
      expect((await call('GET', `/tax-codes/${id}`)).status).toBe(404);
      expect((await call('PUT', `/tax-codes/${id}`, { name: 'n', app_mappings: [] })).status).toBe(404);
      expect((await call('DELETE', `/tax-codes/${id}`)).status).toBe(404);
    }
  });
});
