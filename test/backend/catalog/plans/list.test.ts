import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { addonBody, callsOf, phase, planBody } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
let firstAddonId: string;

// Plans b1 (archived), a1 (archived, deleted), d1 (draft), b2 (active), c1 (active, in euros), e1 (draft): a second apart.
// The draft of d is changed last. Add-ons are made alike.
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
  for (const [path, bodyOf, kind] of [
    ['/plans', planBody, 'Plan'],
    ['/addons', addonBody, 'Add-on'],
  ] as const) {
    const create = async (key: string, fields: Json = {}) => {
      backend.clock.advanceMs(1000);
      return calls.ok('POST', path, bodyOf(key, { name: `${kind} ${key.toUpperCase()}`, ...fields }));
    };
    const publish = async (version: Json) => calls.ok('POST', `${path}/${version.id}/publish`);
    const b1 = await create('b');
    await publish(b1);
    const a1 = await publish(await create('a'));
    await calls.ok('POST', `${path}/${a1.id}/archive`);
    await calls.ok('DELETE', `${path}/${a1.id}`);
    const d1 = await create('d', { name: '100% of D' });
    await publish(await create('b'));
    await publish(await create('c', { currency: 'EUR' }));
    await create('e', path === '/plans' ? { phases: [phase([])] } : { rate_cards: [] });
    backend.clock.advanceMs(1000);
    const { key, currency, billing_cadence, ...change } = bodyOf('d', { name: '100% of D' });
    await calls.ok('PUT', `${path}/${d1.id}`, change);
    firstAddonId = b1.id;
  }
});
afterAll(() => backend.close());

const list = (path: string, query: string) => backend.request('GET', `${path}?${query}`);
const found = async (path: string, query: string) => {
  const { status, json } = await list(path, query);
  expect({ query, status }).toEqual({ query, status: 200 });
  return json.data.map(({ key, version }: Json) => `${key}${version}`).join(' ');
};

describe.each(['/plans', '/addons'])('GET %s', (path) => {
  test.each([
    ['', 'b1 d1 b2 c1 e1'],
    ['sort=created_at', 'b1 d1 b2 c1 e1'],
    ['sort=created_at desc', 'e1 c1 b2 d1 b1'],
    ['sort=id', 'b1 d1 b2 c1 e1'],
    ['sort=id+desc', 'e1 c1 b2 d1 b1'],
    ['sort=key asc', 'b1 b2 c1 d1 e1'],
    ['sort=key desc', 'e1 d1 c1 b2 b1'],
    ['sort=updated_at desc', 'd1 e1 c1 b2 b1'],
  ])('sorts: "%s"', async (query, expected) => {
    expect(await found(path, query)).toBe(expected);
  });

  test.each([
    ['filter[key]=b', 'b1 b2'],
    ['filter[key][neq]=b', 'd1 c1 e1'],
    ['filter[key][gt]=b&filter[key][lte]=d', 'd1 c1'],
    ['filter[key][gte]=c&filter[key][lt]=e', 'd1 c1'],
    ['filter[key][oeq]=a,c,e', 'c1 e1'],
    ['filter[key][contains]=B', 'b1 b2'],
    ['filter[name][contains]=100%25', 'd1'],
    ['filter[name][ocontains]=%25,on%20c,n%20E', path === '/plans' ? 'd1 e1' : 'd1 c1 e1'],
    ['filter[name][exists]=true', 'b1 d1 b2 c1 e1'],
    ['filter[name][nexists]', ''],
    ['filter[status]=draft', 'd1 e1'],
    ['filter[status]=active', 'b2 c1'],
    ['filter[status]=archived', 'b1'],
    ['filter[status]=scheduled', ''],
    ['filter[status][neq]=draft', 'b1 b2 c1'],
    ['filter[status][oeq]=active,archived', 'b1 b2 c1'],
    ['filter[currency]=EUR', 'c1'],
    ['filter[currency][neq]=EUR&filter[status]=active', 'b2'],
    ['filter[currency][oeq]=EUR,GBP', 'c1'],
  ])('filters: %s', async (query, expected) => {
    expect(await found(path, query)).toBe(expected);
  });

  test('pages', async () => {
    const page = async (query: string) => {
      const { json } = await list(path, `sort=key&${query}`);
      return [json.data.map(({ key, version }: Json) => `${key}${version}`).join(' '), json.meta.page];
    };
    expect(await page('page[size]=2')).toEqual(['b1 b2', { number: 1, size: 2, total: 5 }]);
    expect(await page('page[size]=2&page[number]=3')).toEqual(['e1', { number: 3, size: 2, total: 5 }]);
    expect(await page('page[size]=2&page[number]=9')).toEqual(['', { number: 9, size: 2, total: 5 }]);
    expect(await page('filter[status]=draft')).toEqual(['d1 e1', { number: 1, size: 20, total: 2 }]);
  });

  test('drafts say what they lack', async () => {
    const { json } = await list(path, 'sort=key');
    const codes = json.data.map(({ validation_errors }: Json) => validation_errors?.map(({ code }: Json) => code));
    const code = path === '/plans' ? 'plan_phase_has_no_rate_cards' : 'addon_has_no_rate_cards';
    expect(codes).toEqual([undefined, undefined, undefined, undefined, [code]]);
  });

  test.each([
    'sort=description',
    'sort=key up',
    'filter[description]=x',
    'filter[status][contains]=a',
    'filter[currency][gt]=A',
    'filter[key][like]=a',
    'page[size]=0',
    'page[number]=x',
    'page[after]=x',
  ])('400: %s', async (query) => {
    expect((await list(path, query)).status).toBe(400);
  });
});

test('plans sort by version, add-ons by name', async () => {
  expect(await found('/plans', 'sort=version desc&page[size]=1')).toBe('b2');
  expect((await list('/plans', 'sort=name')).status).toBe(400);
  expect(await found('/addons', 'sort=name')).toBe('d1 b1 b2 c1 e1');
  expect((await list('/addons', 'sort=version')).status).toBe(400);
});

test('add-ons filter by id', async () => {
  expect(await found('/addons', `filter[id]=${firstAddonId}`)).toBe('b1');
  expect(await found('/addons', `filter[id][neq]=${firstAddonId}`)).toBe('d1 b2 c1 e1');
  expect((await list('/addons', 'filter[id]=b')).status).toBe(400);
  expect((await list('/plans', `filter[id]=${firstAddonId}`)).status).toBe(400);
});
