import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

// Names and keys sort differently, and so do ids (creation) and both.
const CUSTOMERS = [
  { key: 'beta', name: 'Zeta Ltd', subjects: ['bob', 'bill'], email: 'b@x.example' },
  { key: 'alpha', name: 'Mike', subjects: ['alice'], email: 'A@X.example' },
  { key: 'gamma', name: 'zeta', subjects: [], email: undefined },
  { key: 'de,lta', name: 'Mike', subjects: ['50%_off', 'd?d'], email: undefined },
];

let t: CustomersUnderTest;
beforeAll(async () => {
  t = startCustomers();
  for (const { key, name, subjects, email } of CUSTOMERS) {
    t.clock.advanceMs(1_000);
    await t.create(key, subjects, { name, ...(email !== undefined && { primary_email: email }) });
  }
  const deleted = await t.create('deleted', ['dead'], { name: 'Mike', primary_email: 'd@x.example' });
  await t.call('DELETE', `/customers/${deleted.id}`);
});
afterAll(() => t.close());

describe('sort', () => {
  test.each([
    ['', ['alpha', 'de,lta', 'beta', 'gamma']],
    ['?sort=name', ['alpha', 'de,lta', 'beta', 'gamma']],
    ['?sort=name+desc', ['gamma', 'beta', 'de,lta', 'alpha']],
    ['?sort=id', ['beta', 'alpha', 'gamma', 'de,lta']],
    ['?sort=id%20desc', ['de,lta', 'gamma', 'alpha', 'beta']],
    ['?sort=created_at+asc', ['beta', 'alpha', 'gamma', 'de,lta']],
    ['?sort=created_at+desc', ['de,lta', 'gamma', 'alpha', 'beta']],
  ])('%s', async (query, expected) => {
    expect(await t.keys(query)).toEqual(expected);
  });

  test.each(['key', 'name up', 'name asc asc', 'created_at,name'])('400: %s', async (sort) => {
    const { status, json } = await t.call('GET', `/customers?sort=${encodeURIComponent(sort)}`);
    expect(status).toBe(400);
    expect(json.invalid_parameters).toEqual([
      expect.objectContaining({ field: 'sort', rule: 'enum', choices: ['name', 'id', 'created_at'], source: 'query' }),
    ]);
  });
});

describe('filter', () => {
  const all = ['alpha', 'beta', 'de,lta', 'gamma'];
  test.each([
    ['key', '', 'beta', ['beta']],
    ['key', '', 'Beta', []],
    ['key', '', 'deleted', []],
    ['key', 'eq', 'beta', ['beta']],
    ['key', 'neq', 'beta', ['alpha', 'de,lta', 'gamma']],
    ['key', 'gt', 'beta', ['de,lta', 'gamma']],
    ['key', 'gte', 'beta', ['beta', 'de,lta', 'gamma']],
    ['key', 'lt', 'beta', ['alpha']],
    ['key', 'lte', 'beta', ['alpha', 'beta']],
    ['key', 'contains', 'ET', ['beta']],
    ['key', 'oeq', 'beta,gamma,other', ['beta', 'gamma']],
    ['key', 'ocontains', 'ph,mm', ['alpha', 'gamma']],
    ['key', 'exists', 'true', all],
    ['key', 'exists', 'false', []],
    ['key', '', '', all],
    ['name', '', 'Mike', ['alpha', 'de,lta']],
    ['name', 'eq', 'mike', []],
    ['name', 'neq', 'Mike', ['beta', 'gamma']],
    ['name', 'gt', 'Mike', ['beta', 'gamma']],
    ['name', 'gte', 'Zeta Ltd', ['beta', 'gamma']],
    ['name', 'lt', 'Zeta Ltd', ['alpha', 'de,lta']],
    ['name', 'lte', 'Mike', ['alpha', 'de,lta']],
    ['name', 'contains', 'zeta', ['beta', 'gamma']],
    ['name', 'oeq', 'Mike,zeta', ['alpha', 'de,lta', 'gamma']],
    ['name', 'ocontains', 'ltd,IKE', ['alpha', 'beta', 'de,lta']],
    ['name', 'exists', 'true', all],
    ['name', 'nexists', '', []],
    ['primary_email', '', 'b@x.example', ['beta']],
    ['primary_email', 'eq', 'a@x.example', []],
    ['primary_email', 'neq', 'b@x.example', ['alpha']],
    ['primary_email', 'gt', 'a', ['beta']],
    ['primary_email', 'gte', 'b@x.example', ['beta']],
    ['primary_email', 'lt', 'b', ['alpha']],
    ['primary_email', 'lte', 'b@x.example', ['alpha', 'beta']],
    ['primary_email', 'contains', '@x.EXAMPLE', ['alpha', 'beta']],
    ['primary_email', 'oeq', 'A@X.example,b@x.example', ['alpha', 'beta']],
    ['primary_email', 'ocontains', 'a@,b@', ['alpha', 'beta']],
    ['primary_email', 'exists', 'true', ['alpha', 'beta']],
    ['primary_email', 'exists', 'false', ['de,lta', 'gamma']],
    ['primary_email', 'nexists', 'true', ['de,lta', 'gamma']],
    ['usage_attribution_subject_key', '', 'bill', ['beta']],
    ['usage_attribution_subject_key', '', 'beta', []],
    ['usage_attribution_subject_key', '', 'dead', []],
    ['usage_attribution_subject_key', 'eq', 'd?d', ['de,lta']],
    ['usage_attribution_subject_key', 'neq', 'bob', ['alpha', 'de,lta', 'gamma']],
    ['usage_attribution_subject_key', 'gt', 'bill', ['beta', 'de,lta']],
    ['usage_attribution_subject_key', 'gte', 'bob', ['beta', 'de,lta']],
    ['usage_attribution_subject_key', 'lt', 'bill', ['alpha', 'de,lta']],
    ['usage_attribution_subject_key', 'lte', 'alice', ['alpha', 'de,lta']],
    ['usage_attribution_subject_key', 'contains', 'I', ['alpha', 'beta']],
    ['usage_attribution_subject_key', 'contains', '%_', ['de,lta']],
    ['usage_attribution_subject_key', 'oeq', 'bob,alice', ['alpha', 'beta']],
    ['usage_attribution_subject_key', 'ocontains', 'bo,ic', ['alpha', 'beta']],
    ['usage_attribution_subject_key', 'exists', 'true', ['alpha', 'beta', 'de,lta']],
    ['usage_attribution_subject_key', 'exists', 'false', ['gamma']],
    ['usage_attribution_subject_key', 'nexists', 'false', ['alpha', 'beta', 'de,lta']],
  ])('%s %s "%s"', async (field, operator, value, expected) => {
    const name = operator === '' ? `filter[${field}]` : `filter[${field}][${operator}]`;
    const query = `?${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    expect((await t.keys(query)).toSorted()).toEqual(expected);
    const { json } = await t.call('GET', `/customers${query}`);
    expect(json.meta.page.total).toBe(expected.length);
  });

  test('conditions hold together', async () => {
    expect(await t.keys('?filter[key][gt]=alpha&filter[key][lt]=gamma&filter[name]=Mike')).toEqual(['de,lta']);
  });

  test('one and the same subject key meets all conditions on it', async () => {
    const field = 'filter[usage_attribution_subject_key]';
    expect(await t.keys(`?${field}[gt]=bi&${field}[lt]=bo`)).toEqual(['beta']);
    expect(await t.keys(`?${field}[gt]=bj&${field}[lt]=bo`)).toEqual([]);
    expect(await t.keys(`?${field}[contains]=b&${field}[neq]=bill`)).toEqual([]);
  });

  test('a match shows all subject keys', async () => {
    const { json } = await t.call('GET', '/customers?filter[usage_attribution_subject_key]=bill');
    expect(json.data[0].usage_attribution.subject_keys).toEqual(['bob', 'bill']);
  });

  test.each([
    ['filter[id]=x', 'filter[id]'],
    ['filter[key][like]=x', 'filter[key][like]'],
    ['filter[key][exists]=perhaps', 'filter[key][exists]'],
    ['filter=x', 'filter'],
    [`filter[key]=${'x'.repeat(1025)}`, 'filter[key]'],
    [`filter[key][oeq]=${'x,'.repeat(50)}x`, 'filter[key][oeq]'],
    ['filter[key]=a&filter[key]=b', 'filter[key]'],
  ])('400: %s', async (query, field) => {
    const { status, json } = await t.call('GET', `/customers?${query}`);
    expect(status).toBe(400);
    expect(json.invalid_parameters).toEqual([expect.objectContaining({ field, source: 'query' })]);
  });
});

describe('pages', () => {
  test.each([
    ['', ['alpha', 'de,lta', 'beta', 'gamma'], { number: 1, size: 20, total: 4 }],
    ['?page[size]=3', ['alpha', 'de,lta', 'beta'], { number: 1, size: 3, total: 4 }],
    ['?page[size]=3&page[number]=2', ['gamma'], { number: 2, size: 3, total: 4 }],
    ['?page[size]=1&page[number]=2&sort=id', ['alpha'], { number: 2, size: 1, total: 4 }],
    ['?page[number]=9', [], { number: 9, size: 20, total: 4 }],
    ['?page[size]=1&filter[name]=Mike', ['alpha'], { number: 1, size: 1, total: 2 }],
  ])('%s', async (query, keys, page) => {
    const { status, json } = await t.call('GET', `/customers${query}`);
    expect(status).toBe(200);
    expect(json.data.map((customer: { key: string }) => customer.key)).toEqual(keys);
    expect(json.meta).toEqual({ page });
  });

  test.each(['page[size]=0', 'page[size]=x', 'page[number]=0', 'page[after]=x', 'page=1'])('400: %s', async (query) => {
    const { status, json } = await t.call('GET', `/customers?${query}`);
    expect(status).toBe(400);
    expect(json.invalid_parameters).toEqual([
      expect.objectContaining({ field: query.split('=', 1)[0], source: 'query' }),
    ]);
  });
});
