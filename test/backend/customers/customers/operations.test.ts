import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UNKNOWN_ID } from '../../../support/answers.ts';
import { CONTRACT_MISSING, contractIsAvailable, contractViolations } from '../../../support/contract.ts';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

let t: CustomersUnderTest;
beforeEach(() => {
  t = startCustomers();
});
afterEach(() => t.close());

const FULL = {
  key: 'Acme / Inc. ✓',
  name: 'Acme',
  description: 'The first one',
  labels: { env: 'prod', tier: 'gold' },
  usage_attribution: { subject_keys: ['zoe', 'alice', 'Bob'] },
  primary_email: 'billing@acme.example',
  currency: 'EUR',
  billing_address: {
    country: 'DE',
    postal_code: '10115',
    state: 'BE',
    city: 'Berlin',
    line1: 'A 1',
    line2: 'B',
    phone_number: '+49 1',
  },
};

describe('POST /customers', () => {
  test('201: answers what was sent, with id and times, and only that', async () => {
    const { status, json } = await t.call('POST', '/customers', FULL);
    expect(status).toBe(201);
    const { id, ...rest } = json;
    expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(rest).toEqual({ ...FULL, created_at: '2026-11-21T12:00:00Z', updated_at: '2026-11-21T12:00:00Z' });
    expect((await t.call('GET', `/customers/${id}`)).json).toEqual(json);
  });

  test('201: fields that were not sent are absent', async () => {
    const { json } = await t.call('POST', '/customers', { key: 'k', name: 'n' });
    expect(Object.keys(json).sort()).toEqual(['created_at', 'id', 'key', 'name', 'updated_at']);
  });

  test('201: an empty list of subject keys comes back as one', async () => {
    const customer = await t.create('k', []);
    expect(customer.usage_attribution).toEqual({ subject_keys: [] });
    expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  });

  test('201: the longest values', async () => {
    const subjectKeys = Array.from({ length: 1000 }, (_, index) => `${index}`.padStart(512, 's'));
    const customer = await t.create('k'.repeat(256), subjectKeys, {
      name: 'n'.repeat(256),
      description: 'd'.repeat(1024),
    });
    expect(customer.usage_attribution.subject_keys).toEqual(subjectKeys);
  });

  test('201: the key may be a subject key of its own', async () => {
    expect((await t.create('alice', ['alice'])).usage_attribution.subject_keys).toEqual(['alice']);
  });

  test.each([
    ['no key', { key: undefined }, 'key', 'required'],
    ['an empty key', { key: '' }, 'key', 'min_length'],
    ['a key that is too long', { key: 'k'.repeat(257) }, 'key', 'max_length'],
    ['a key of another type', { key: 7 }, 'key', 'type'],
    ['half a surrogate pair in the key', { key: '\ud800' }, 'key', 'invalid'],
    ['NUL in the key', { key: 'a\0b' }, 'key', 'invalid'],
    ['no name', { name: undefined }, 'name', 'required'],
    ['a null name', { name: null }, 'name', 'type'],
    ['an empty name', { name: '' }, 'name', 'min_length'],
    ['a name that is too long', { name: 'n'.repeat(257) }, 'name', 'max_length'],
    ['a description that is too long', { description: 'd'.repeat(1025) }, 'description', 'max_length'],
    ['a reserved label', { labels: { kong_x: 'y' } }, 'labels.kong_x', 'is_label'],
    ['no list of subject keys', { usage_attribution: {} }, 'usage_attribution.subject_keys', 'required'],
    ['camelCase', { usageAttribution: { subjectKeys: [] } }, 'usageAttribution', 'unknown_property'],
    [
      'an empty subject key',
      { usage_attribution: { subject_keys: ['a', ''] } },
      'usage_attribution.subject_keys.1',
      'min_length',
    ],
    [
      'a subject key that is too long',
      { usage_attribution: { subject_keys: ['s'.repeat(513)] } },
      'usage_attribution.subject_keys.0',
      'max_length',
    ],
    [
      'half a surrogate pair in a subject key',
      { usage_attribution: { subject_keys: ['\udc00'] } },
      'usage_attribution.subject_keys.0',
      'invalid',
    ],
    [
      'a subject key twice',
      { usage_attribution: { subject_keys: ['a', 'b', 'a'] } },
      'usage_attribution.subject_keys.2',
      'invalid',
    ],
    [
      'too many subject keys',
      { usage_attribution: { subject_keys: Array.from({ length: 1001 }, (_, i) => `s${i}`) } },
      'usage_attribution.subject_keys',
      'max_items',
    ],
    [
      'an unknown field in the attribution',
      { usage_attribution: { subject_keys: [], x: 1 } },
      'usage_attribution.x',
      'unknown_property',
    ],
    ['an email that is too long', { primary_email: 'e'.repeat(321) }, 'primary_email', 'max_length'],
    ['a currency in lower case', { currency: 'eur' }, 'currency', 'matches_regex'],
    ['a country of three letters', { billing_address: { country: 'DEU' } }, 'billing_address.country', 'matches_regex'],
    ['an unknown field in the address', { billing_address: { zip: '1' } }, 'billing_address.zip', 'unknown_property'],
    [
      'an address line that is too long',
      { billing_address: { line1: 'x'.repeat(513) } },
      'billing_address.line1',
      'max_length',
    ],
    ['an id', { id: UNKNOWN_ID }, 'id', 'unknown_property'],
    ['a time', { created_at: '2026-01-01T00:00:00Z' }, 'created_at', 'unknown_property'],
  ])('400: %s', async (_name, fields, field, rule) => {
    const answer = await t.call('POST', '/customers', { key: 'k', name: 'n', ...fields });
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters).toEqual([expect.objectContaining({ field, rule, source: 'body' })]);
    expect(await t.keys()).toEqual([]);
  });

  test('400: no JSON', async () => {
    expect(await t.call('POST', '/customers', '{')).toMatchObject({ status: 400 });
  });
});

describe('GET /customers/{customerId}', () => {
  test('200: a deleted customer is as it was, with deleted_at', async () => {
    const customer = (await t.call('POST', '/customers', FULL)).json;
    t.clock.advanceMs(1_500);
    await t.call('DELETE', `/customers/${customer.id}`);
    expect(await t.call('GET', `/customers/${customer.id}`)).toEqual({
      status: 200,
      json: { ...customer, updated_at: '2026-11-21T12:00:01.500Z', deleted_at: '2026-11-21T12:00:01.500Z' },
    });
  });
});

describe('PUT /customers/{customerId}', () => {
  test('200: replaces everything but key, id and creation', async () => {
    const customer = (await t.call('POST', '/customers', FULL)).json;
    t.clock.advanceMs(2_000);
    const change = { name: 'Other', usage_attribution: { subject_keys: ['Bob', 'new'] }, currency: 'USD' };
    const changed = await t.call('PUT', `/customers/${customer.id}`, change);
    expect(changed).toEqual({
      status: 200,
      json: {
        id: customer.id,
        key: FULL.key,
        ...change,
        created_at: customer.created_at,
        updated_at: '2026-11-21T12:00:02Z',
      },
    });
    expect(await t.call('GET', `/customers/${customer.id}`)).toEqual(changed);
  });

  test('200: subject keys that are left out are freed', async () => {
    const customer = await t.create('first', ['alice']);
    const { json } = await t.call('PUT', `/customers/${customer.id}`, { name: 'n' });
    expect(json).not.toHaveProperty('usage_attribution');
    await t.create('second', ['alice']);
  });

  test('200: the order of subject keys is kept', async () => {
    const customer = await t.create('k', ['a', 'b', 'c']);
    const change = { name: 'n', usage_attribution: { subject_keys: ['c', 'a', 'b'] } };
    await t.call('PUT', `/customers/${customer.id}`, change);
    expect((await t.call('GET', `/customers/${customer.id}`)).json.usage_attribution.subject_keys).toEqual([
      'c',
      'a',
      'b',
    ]);
  });

  test.each([
    ['a key', { name: 'n', key: 'k' }, 'key', 'unknown_property'],
    ['no name', {}, 'name', 'required'],
    ['a wrong currency', { name: 'n', currency: 'EURO' }, 'currency', 'matches_regex'],
  ])('400: %s', async (_name, body, field, rule) => {
    const customer = await t.create('k');
    const answer = await t.call('PUT', `/customers/${customer.id}`, body);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters).toEqual([expect.objectContaining({ field, rule, source: 'body' })]);
    expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  });

  test('410: a deleted customer', async () => {
    const customer = await t.create('k');
    await t.call('DELETE', `/customers/${customer.id}`);
    const deleted = await t.call('GET', `/customers/${customer.id}`);
    expect(await t.call('PUT', `/customers/${customer.id}`, { name: 'n' })).toMatchObject({
      status: 410,
      json: {
        type: 'https://kongapi.info/konnect/gone',
        detail: `customer ${customer.id} was deleted at 2026-11-21T12:00:00Z`,
      },
    });
    expect(await t.call('GET', `/customers/${customer.id}`)).toEqual(deleted);
  });
});

describe('DELETE /customers/{customerId}', () => {
  test('204: twice, and the second time changes nothing', async () => {
    const customer = await t.create('k');
    expect(await t.call('DELETE', `/customers/${customer.id}`)).toMatchObject({ status: 204 });
    const deleted = await t.call('GET', `/customers/${customer.id}`);
    t.clock.advanceMs(60_000);
    expect(await t.call('DELETE', `/customers/${customer.id}`)).toMatchObject({ status: 204 });
    expect(await t.call('GET', `/customers/${customer.id}`)).toEqual(deleted);
  });

  test('204: key and subject keys are free again, once and again', async () => {
    for (let round = 0; round < 3; round++) {
      const customer = await t.create('k', ['a', 'b']);
      await t.call('DELETE', `/customers/${customer.id}`);
    }
    expect(await t.keys()).toEqual([]);
  });
});

describe('every operation', () => {
  const operations = (id: string): [string, string, unknown?][] => [
    ['POST', '/customers', { key: 'new', name: 'n' }],
    ['GET', '/customers'],
    ['GET', `/customers/${id}`],
    ['PUT', `/customers/${id}`, { name: 'changed' }],
    ['DELETE', `/customers/${id}`],
  ];

  test('401 without a token or with an unknown one', async () => {
    const customer = await t.create('k');
    for (const [method, path, body] of operations(customer.id)) {
      expect(await t.call(method, path, body, null)).toMatchObject({ status: 401 });
      expect(await t.call(method, path, body, 'nobody' as never)).toMatchObject({ status: 401 });
    }
    expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  });

  test('403 for what the role does not include', async () => {
    const customer = await t.create('k');
    for (const [method, path, body] of operations(customer.id)) {
      expect(await t.call(method, path, body, 'ingest')).toMatchObject({ status: 403 });
      expect(await t.call(method, path, body, 'viewer')).toMatchObject({ status: method === 'GET' ? 200 : 403 });
    }
    expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  });

  test('404 for an unknown id, and for what is no id', async () => {
    await t.create('a-key');
    for (const id of [UNKNOWN_ID, 'a-key', UNKNOWN_ID.toLowerCase(), 'x']) {
      expect(await t.call('GET', `/customers/${id}`)).toMatchObject({ status: 404 });
      expect(await t.call('PUT', `/customers/${id}`, { name: 'n' })).toMatchObject({ status: 404 });
      expect(await t.call('DELETE', `/customers/${id}`)).toMatchObject({ status: 404 });
    }
  });

  test.skipIf(!contractIsAvailable)(
    `is the contract’s: every answer of these tests is held against it (${CONTRACT_MISSING})`,
    async () => {
      const customer = (await t.call('POST', '/customers', FULL)).json;
      const violations = (body: unknown) =>
        contractViolations('GET', `/openmeter/customers/${customer.id}`, 200, 'application/json', JSON.stringify(body));
      expect(violations(customer)).toEqual([]);
      expect(violations({ ...customer, extra: 1 })).not.toEqual([]);
    },
  );
});
