import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

const SANDBOX = '01JD0000000000000000000001';
const UNKNOWN = '01HZZZZZZZZZZZZZZZZZZZZZZZ';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend();
});
afterAll(() => t.close());

const install = async (fields: Record<string, unknown> = {}) => {
  const body = { type: 'external_invoicing', name: 'ERP', create_billing_profile: false, ...fields };
  const { status, json } = await t.request('POST', '/app-catalog/install', { body });
  expect(status).toBe(201);
  return json.app;
};

describe('the app catalog', () => {
  test('200: lists what can be installed', async () => {
    const { status, json } = await t.request('GET', '/app-catalog');
    expect(status).toBe(200);
    expect(json.data.map((item: { type: string }) => item.type)).toEqual(['sandbox', 'external_invoicing', 'stripe']);
    expect(json.meta.page).toEqual({ number: 1, size: 20, total: 3 });
  });

  test('200: one entry; 404: no such type', async () => {
    expect((await t.request('GET', '/app-catalog/sandbox')).json.capabilities).toHaveLength(3);
    expect((await t.request('GET', '/app-catalog/paypal')).status).toBe(404);
    expect((await t.request('GET', '/app-catalog/stripe')).json.install_methods).toEqual(['with_api_key']);
  });
});

describe('installing', () => {
  test('201: both hooks are off', async () => {
    const app = await install();
    expect(app).toMatchObject({ enable_draft_sync_hook: false, enable_issuing_sync_hook: false, status: 'ready' });
    expect((await t.request('GET', `/apps/${app.id}`)).json).toEqual(app);
  });

  test('400: stripe, where no key is set to seal its key with; it is neither kept nor answered', async () => {
    const body = { type: 'stripe', name: 'Stripe', create_billing_profile: false, api_key: 'sk_live_secret123' };
    const answer = await t.request('POST', '/app-catalog/install', { body });
    expect([answer.status, answer.json.extensions.validationErrors[0].code]).toEqual([400, 'secrets_key_missing']);
    expect(answer.text + t.logLines.join()).not.toContain('sk_live_secret123');
  });

  test.each([
    ['an unknown type', { type: 'paypal' }, 'type'],
    ['no name', { name: undefined }, 'name'],
    ['no word on the profile', { create_billing_profile: undefined }, 'create_billing_profile'],
    ['a field that is not known', { color: 'red' }, 'color'],
  ])('400: %s', async (_, fields, field) => {
    const body = { type: 'sandbox', name: 'n', create_billing_profile: false, ...fields };
    const { status, json } = await t.request('POST', '/app-catalog/install', { body });
    expect(status).toBe(400);
    expect(json.invalid_parameters[0].field).toBe(field);
  });

  test('401, 403: needs a token that may write', async () => {
    expect((await t.request('POST', '/app-catalog/install', { body: {}, token: null })).status).toBe(401);
    expect((await t.request('POST', '/app-catalog/install', { body: {}, token: TOKENS.viewer })).status).toBe(403);
    expect((await t.request('GET', '/apps', { token: TOKENS.ingest })).status).toBe(403);
  });
});

describe('installed apps', () => {
  test('200: the sandbox is always there', async () => {
    const { json } = await t.request('GET', '/apps');
    expect(json.data[0]).toMatchObject({ id: SANDBOX, type: 'sandbox', name: 'Sandbox' });
  });

  test('404: unknown, or no id at all', async () => {
    expect((await t.request('GET', `/apps/${UNKNOWN}`)).status).toBe(404);
    expect((await t.request('GET', '/apps/x')).status).toBe(404);
  });

  test('PUT 200: replaces; 400: another type', async () => {
    const { id } = await install();
    const hooks = { enable_draft_sync_hook: true, enable_issuing_sync_hook: true };
    const body = { type: 'external_invoicing', name: 'SAP', description: 'd', labels: { a: 'b' }, ...hooks };
    const { status, json } = await t.request('PUT', `/apps/${id}`, { body });
    expect(status).toBe(200);
    expect(json).toMatchObject(body);
    const other = await t.request('PUT', `/apps/${id}`, { body: { type: 'sandbox', name: 'n' } });
    expect(other.status).toBe(400);
    expect(other.json.extensions.validationErrors[0].code).toBe('app_type_mismatch');
    expect((await t.request('PUT', `/apps/${id}`, { body: { type: 'stripe', name: 'n' } })).status).toBe(400);
    expect((await t.request('PUT', `/apps/${UNKNOWN}`, { body })).status).toBe(404);
  });

  test('DELETE 204: gone from the list, still readable; 404 afterwards', async () => {
    const { id } = await install();
    expect((await t.request('DELETE', `/apps/${id}`)).status).toBe(204);
    expect((await t.request('GET', `/apps/${id}`)).json.deleted_at).toBe('2026-11-21T12:00:00Z');
    const { json } = await t.request('GET', '/apps?page[size]=1000');
    expect(json.data.map((app: { id: string }) => app.id)).not.toContain(id);
    expect((await t.request('DELETE', `/apps/${id}`)).status).toBe(404);
  });

  test('DELETE 400: the built-in sandbox; 409: an app with a billing profile', async () => {
    const { status, json } = await t.request('DELETE', `/apps/${SANDBOX}`);
    expect(status).toBe(400);
    expect(json.extensions.validationErrors[0].code).toBe('built_in_app_cannot_be_uninstalled');
    const { id } = await install({ type: 'sandbox', name: 'Second', create_billing_profile: true });
    const used = await t.request('DELETE', `/apps/${id}`);
    expect(used.status).toBe(409);
    expect(used.json.detail).toContain('billing profile "Second"');
  });
});
