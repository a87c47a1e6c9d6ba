import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

const SANDBOX = { id: '01JD0000000000000000000001' };
const FIRST = '01JD0000000000000000000002';
const UNKNOWN = '01HZZZZZZZZZZZZZZZZZZZZZZZ';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend();
});
afterAll(() => t.close());

const BODY = {
  name: 'EU',
  supplier: { name: 'ACME GmbH', tax_id: { code: 'DE123' }, addresses: { billing_address: { country: 'DE' } } },
  workflow: {},
  apps: { tax: SANDBOX, invoicing: SANDBOX, payment: SANDBOX },
  default: false,
};
const create = async (fields: Record<string, unknown> = {}) => {
  const { status, json } = await t.request('POST', '/profiles', { body: { ...BODY, ...fields } });
  expect(status).toBe(201);
  return json;
};
const { apps: _, ...UPSERT } = BODY;
const codeOf = (answer: { json: { extensions: { validationErrors: [{ code: string }] } } }) =>
  answer.json.extensions.validationErrors[0].code;

describe('creating', () => {
  test('201: every setting is written out', async () => {
    const profile = await create();
    expect(profile).toMatchObject({ ...UPSERT, apps: BODY.apps, workflow: expect.anything() });
    expect(profile.workflow).toEqual({
      collection: { alignment: { type: 'subscription' }, interval: 'PT1H' },
      invoicing: {
        auto_advance: true,
        draft_period: 'P0D',
        progressive_billing: true,
        subscription_end_proration_mode: 'bill_actual_period',
      },
      payment: { collection_method: 'charge_automatically' },
      tax: { enabled: true, enforced: false },
    });
    expect((await t.request('GET', `/profiles/${profile.id}`)).json).toEqual(profile);
  });

  test('201: all settings', async () => {
    const workflow = {
      collection: {
        alignment: { type: 'anchored', recurring_period: { anchor: '2026-01-01T00:00:00Z', interval: 'P1M' } },
        interval: 'P1D',
      },
      invoicing: {
        auto_advance: false,
        draft_period: 'P3D',
        progressive_billing: false,
        subscription_end_proration_mode: 'bill_full_period',
      },
      payment: { collection_method: 'send_invoice', due_after: 'P14D' },
      tax: { enabled: true, enforced: true, default_tax_config: { behavior: 'exclusive' } },
    };
    expect((await create({ workflow, labels: { a: 'b' }, description: 'd' })).workflow).toEqual(workflow);
  });

  test('201: a new default takes the place of the old one', async () => {
    const profile = await create({ name: 'New default', default: true });
    expect(profile.default).toBe(true);
    expect((await t.request('GET', `/profiles/${FIRST}`)).json.default).toBe(false);
    await t.request('PUT', `/profiles/${FIRST}`, { body: { ...UPSERT, default: true } });
    expect((await t.request('GET', `/profiles/${profile.id}`)).json.default).toBe(false);
  });

  test.each([
    ['no supplier', { supplier: undefined }, 'supplier'],
    ['a negative wait', { workflow: { collection: { interval: '-PT1H' } } }, 'workflow.collection.interval'],
    ['a wait that is none', { workflow: { invoicing: { draft_period: '1 day' } } }, 'workflow.invoicing.draft_period'],
    ['enforced taxes that are off', { workflow: { tax: { enabled: false, enforced: true } } }, 'workflow.tax.enforced'],
    [
      'an anchor without an interval',
      {
        workflow: {
          collection: { alignment: { type: 'anchored', recurring_period: { anchor: '2026-01-01T00:00:00Z' } } },
        },
      },
      'workflow.collection.alignment.recurring_period.interval',
    ],
    [
      'an interval of nothing',
      {
        workflow: {
          collection: {
            alignment: { type: 'anchored', recurring_period: { anchor: '2026-01-01T00:00:00Z', interval: 'P0D' } },
          },
        },
      },
      'workflow.collection.alignment.recurring_period.interval',
    ],
    [
      'a due date for charges that are automatic',
      { workflow: { payment: { collection_method: 'charge_automatically', due_after: 'P1D' } } },
      'workflow.payment.due_after',
    ],
    [
      'a tax code, which is set for the organization',
      { workflow: { tax: { default_tax_config: { tax_code_id: UNKNOWN } } } },
      'workflow.tax.default_tax_config.tax_code_id',
    ],
    [
      'a tax code of an external system',
      { workflow: { tax: { default_tax_config: { external_invoicing: { code: 'A1' } } } } },
      'workflow.tax.default_tax_config.external_invoicing',
    ],
    ['different apps', { apps: { ...BODY.apps, tax: { id: UNKNOWN } } }, 'apps'],
    [
      'an app that does not exist',
      { apps: { tax: { id: UNKNOWN }, invoicing: { id: UNKNOWN }, payment: { id: UNKNOWN } } },
      'apps',
    ],
  ])('400: %s', async (_, fields, field) => {
    const { status, json } = await t.request('POST', '/profiles', { body: { ...BODY, ...fields } });
    expect({ status, field: json.invalid_parameters?.[0].field }).toEqual({ status: 400, field });
  });

  test('401, 403', async () => {
    expect((await t.request('GET', '/profiles', { token: null })).status).toBe(401);
    expect((await t.request('POST', '/profiles', { body: BODY, token: TOKENS.viewer })).status).toBe(403);
  });
});

describe('changing and deleting', () => {
  test('PUT 200: replaces all but the apps', async () => {
    const { id } = await create();
    const { status, json } = await t.request('PUT', `/profiles/${id}`, {
      body: { ...UPSERT, name: 'Other', supplier: {} },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ name: 'Other', supplier: {}, apps: BODY.apps });
  });

  test('PUT 400: the default cannot be unset, the apps cannot be changed; 404: unknown', async () => {
    const unset = await t.request('PUT', `/profiles/${FIRST}`, { body: UPSERT });
    expect([unset.status, codeOf(unset)]).toEqual([400, 'default_profile_cannot_be_unset']);
    expect((await t.request('PUT', `/profiles/${FIRST}`, { body: BODY })).json.invalid_parameters[0].field).toBe(
      'apps',
    );
    expect((await t.request('PUT', `/profiles/${UNKNOWN}`, { body: UPSERT })).status).toBe(404);
  });

  test('DELETE 204: then it cannot be changed', async () => {
    const { id } = await create();
    expect((await t.request('DELETE', `/profiles/${id}`)).status).toBe(204);
    expect((await t.request('GET', `/profiles/${id}`)).json.deleted_at).toBe('2026-11-21T12:00:00Z');
    const again = await t.request('PUT', `/profiles/${id}`, { body: UPSERT });
    expect([again.status, codeOf(again)]).toEqual([400, 'profile_already_deleted']);
    expect(codeOf(await t.request('DELETE', `/profiles/${id}`))).toBe('profile_already_deleted');
    expect((await t.request('DELETE', `/profiles/${UNKNOWN}`)).status).toBe(404);
  });

  test('DELETE 400: the default; one that customers have', async () => {
    expect(codeOf(await t.request('DELETE', `/profiles/${FIRST}`))).toBe('default_profile_cannot_be_deleted');
    const { id } = await create();
    const customer = (await t.request('POST', '/customers', { body: { key: 'pinned', name: 'Pinned' } })).json;
    await t.request('PUT', `/customers/${customer.id}/billing`, { body: { billing_profile: { id } } });
    const refused = await t.request('DELETE', `/profiles/${id}`);
    expect([refused.status, codeOf(refused)]).toEqual([400, 'profile_referenced']);
    expect(refused.json.detail).toContain(customer.id);
  });

  test('what happens to late usage and unused time', async () => {
    const { id } = await create();
    const path = `/profiles/${id}/adjustment-settings`;
    expect((await t.request('GET', path)).json).toEqual({ late_usage: 'bill', unused_time: 'credit' });
    const body = { late_usage: 'report', unused_time: 'keep' };
    expect((await t.request('PUT', path, { body })).json).toEqual(body);
    expect((await t.request('GET', path)).json).toEqual(body);
    expect((await t.request('PUT', path, { body: { ...body, late_usage: 'drop' } })).status).toBe(400);
    expect((await t.request('GET', `/profiles/${UNKNOWN}/adjustment-settings`)).status).toBe(404);
  });
});

describe("a new app's profile", () => {
  test('becomes the default one where the default is a sandbox', async () => {
    const body = { type: 'external_invoicing', name: 'ERP', create_billing_profile: true };
    const first = (await t.request('POST', '/app-catalog/install', { body })).json;
    expect(first.default_for_capability_types).toEqual(['calculate_tax', 'invoice_customers', 'collect_payments']);
    const second = (await t.request('POST', '/app-catalog/install', { body })).json;
    expect(second.default_for_capability_types).toEqual([]);
    const { json } = await t.request('GET', '/profiles?page[size]=1000');
    const byApp = (id: string) => json.data.find((profile: typeof BODY) => profile.apps.invoicing.id === id);
    expect([byApp(first.app.id).default, byApp(second.app.id).default]).toEqual([true, false]);
    await t.request('PUT', `/profiles/${FIRST}`, { body: { ...UPSERT, default: true } });
  });
});

describe("a customer's billing data", () => {
  const customer = async (key: string) => (await t.request('POST', '/customers', { body: { key, name: key } })).json.id;

  test('200: empty, set, and taken away again', async () => {
    const [id, profile] = [await customer('a'), await create()];
    const path = `/customers/${id}/billing`;
    expect((await t.request('GET', path)).json).toEqual({});
    const body = { billing_profile: { id: profile.id }, app_data: { external_invoicing: { labels: { a: 'b' } } } };
    expect((await t.request('PUT', path, { body })).json).toEqual(body);
    const appData = { external_invoicing: { labels: { c: 'd' } } };
    expect((await t.request('PUT', `${path}/app-data`, { body: appData })).json).toEqual(appData);
    expect((await t.request('GET', path)).json).toEqual({ ...body, app_data: appData });
    expect((await t.request('PUT', path, { body: {} })).json).toEqual({});
    expect((await t.request('GET', path)).json).toEqual({});
  });

  test('400: no such profile, Stripe data; 404: no such customer; 410: a deleted one', async () => {
    const id = await customer('b');
    const put = (body: unknown, customerId = id) => t.request('PUT', `/customers/${customerId}/billing`, { body });
    expect(codeOf(await put({ billing_profile: { id: UNKNOWN } }))).toBe('profile_not_found');
    expect(codeOf(await put({ app_data: { stripe: { customer_id: 'cus_1' } } }))).toBe('stripe_app_not_installed');
    expect((await put({}, UNKNOWN)).status).toBe(404);
    expect((await t.request('GET', `/customers/${UNKNOWN}/billing`)).status).toBe(404);
    await t.request('DELETE', `/customers/${id}`);
    expect((await put({})).status).toBe(410);
    expect((await t.request('PUT', `/customers/${id}/billing/app-data`, { body: {} })).status).toBe(410);
  });

  test('customers are found by the profile that bills them, the default included', async () => {
    const [own, other, profile] = [await customer('c'), await customer('d'), await create()];
    await t.request('PUT', `/customers/${own}/billing`, { body: { billing_profile: { id: profile.id } } });
    const found = async (filter: string) => {
      const { json } = await t.request('GET', `/customers?page[size]=1000&filter[billing_profile_id]${filter}`);
      return json.data.map((item: { id: string }) => item.id);
    };
    expect(await found(`=${profile.id}`)).toEqual([own]);
    expect(await found(`=${FIRST}`)).toContain(other);
    expect(await found(`=${FIRST}`)).not.toContain(own);
    expect(await found(`[neq]=${FIRST}`)).toContain(own);
    expect(await found(`[oeq]=${FIRST},${profile.id}`)).toEqual(expect.arrayContaining([own, other]));
    expect((await t.request('GET', '/customers?filter[billing_profile_id]=x')).status).toBe(400);
  });
});
