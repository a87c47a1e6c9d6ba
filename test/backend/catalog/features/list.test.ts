import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createFeature, createMeter } from '../../../support/catalog/features.ts';

let backend: TestBackend;
let meters: Json[];

// Created in this order, a second apart: b, a, d, c. Names sort the other way round; b is changed last.
beforeAll(async () => {
  backend = await createTestBackend();
  meters = [await createMeter(backend, 'm1'), await createMeter(backend, 'm2')];
  const create = async (key: string, name: string, meter?: Json) => {
    backend.clock.advanceMs(1000);
    return createFeature(backend, key, { name, ...(meter && { meter: { id: meter.id } }) });
  };
  const b = await create('b', 'Three', meters[0]);
  await create('a', 'Four', meters[0]);
  await create('d', 'One', meters[1]);
  await create('c', 'Two 100%');
  const archived = await create('z', 'Zero', meters[0]);
  await backend.request('DELETE', `/features/${archived.id}`);
  backend.clock.advanceMs(1000);
  await backend.request('PATCH', `/features/${b.id}`, { body: { unit_cost: { type: 'manual', amount: '1' } } });
});
afterAll(() => backend.close());

const list = (query = '') => backend.request('GET', `/features${query}`);
const keys = async (query: string) => {
  const { status, json } = await list(query);
  expect(status).toBe(200);
  return json.data.map(({ key }: Json) => key).join('');
};

test.each([
  ['', 'badc'],
  ['?sort=created_at', 'badc'],
  ['?sort=created_at desc', 'cdab'],
  ['?sort=key', 'abcd'],
  ['?sort=key+desc', 'dcba'],
  ['?sort=name asc', 'adbc'],
  ['?sort=updated_at', 'adcb'],
  ['?sort=updated_at desc', 'bcda'],
])('sorts: "%s"', async (query, expected) => {
  expect(await keys(query)).toBe(expected);
});

test.each([
  ['filter[key]=a', 'a'],
  ['filter[key][eq]=a', 'a'],
  ['filter[key][neq]=a', 'bdc'],
  ['filter[key][gt]=b', 'dc'],
  ['filter[key][gte]=b&filter[key][lt]=d', 'bc'],
  ['filter[key][lte]=b', 'ba'],
  ['filter[key][oeq]=a,d,z', 'ad'],
  ['filter[name][contains]=o', 'adc'],
  ['filter[name][contains]=100%25', 'c'],
  ['filter[name][contains]=%25', 'c'],
  ['filter[name][ocontains]=three,FOUR', 'ba'],
  ['filter[name][exists]=true', 'badc'],
  ['filter[key][nexists]', ''],
])('filters: %s', async (query, expected) => {
  expect(await keys(`?${query}`)).toBe(expected);
});

test('filters by meter', async () => {
  const [first, second] = meters.map((meter) => meter.id);
  expect(await keys(`?filter[meter_id]=${first}`)).toBe('ba');
  expect(await keys(`?filter[meter_id][eq]=${second}`)).toBe('d');
  expect(await keys(`?filter[meter_id][oeq]=${first},${second}`)).toBe('bad');
  expect(await keys(`?filter[meter_id]=${first}&filter[key]=a`)).toBe('a');
  expect(await keys(`?filter[meter_id]=${UNKNOWN_ID}`)).toBe('');
});

test('pages', async () => {
  const page = async (number: number) => (await list(`?page[size]=3&page[number]=${number}&sort=key`)).json;
  expect(await page(1)).toMatchObject({
    data: [{ key: 'a' }, { key: 'b' }, { key: 'c' }],
    meta: { page: { number: 1, size: 3, total: 4 } },
  });
  expect(await page(2)).toMatchObject({ data: [{ key: 'd' }], meta: { page: { number: 2, size: 3, total: 4 } } });
  expect(await page(3)).toEqual({ data: [], meta: { page: { number: 3, size: 3, total: 4 } } });
});

test.each([
  'page[number]=0',
  'page[size]=x',
  'page=1',
  'sort=meter',
  'sort=key up',
  'filter[labels.x]=y',
  'filter[meter_id]=m1',
  'filter[meter_id][contains]=m',
  'filter[key][like]=a',
  'filter[key]=a&filter[key]=b',
])('400: %s', async (query) => {
  const [name = ''] = query.split('=');
  expect(await list(`?${query}`)).toMatchObject({ status: 400, json: { invalid_parameters: [{ field: name }] } });
});
