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
const list = (query = '') => call('GET', `/currencies?${query}`);
const codes = async (query: string) => (await list(query)).json.data.map(({ code }: Json) => code);

const CREDITS = {
  code: 'CREDITS',
  name: 'Credits',
  symbol: 'cr',
  precision: 4,
  decimal_mark: '.',
  thousand_separator: ',',
};
const create = async (code: string, fields: Record<string, unknown> = {}): Promise<Json> => {
  const answer = await call('POST', '/currencies/custom', { ...CREDITS, code, ...fields });
  expect(answer).toMatchObject({ status: 201 });
  return answer.json;
};

describe('GET /currencies', () => {
  test('200: fiat currencies with the digits of ISO 4217', async () => {
    const byCode = async (code: string) => (await list(`filter[code]=${code}`)).json.data;
    const marks = { decimal_mark: '.', thousand_separator: ',' };
    expect(await byCode('USD')).toEqual([
      { type: 'fiat', code: 'USD', name: 'US Dollar', symbol: '$', precision: 2, ...marks },
    ]);
    expect(await byCode('EUR')).toMatchObject([{ symbol: '€', decimal_mark: ',', thousand_separator: '.' }]);
    expect(await byCode('JPY')).toMatchObject([{ precision: 0 }]);
    expect(await byCode('KWD')).toMatchObject([{ precision: 3 }]);
    expect(await byCode('DEM')).toEqual([]);
    expect(await byCode('XAU')).toEqual([]);
  });

  test('200: a hundred on a page unless told, by code', async () => {
    const { data, meta } = (await list('filter[type]=fiat')).json;
    expect(data).toHaveLength(100);
    expect(meta.page).toMatchObject({ number: 1, size: 100 });
    const rest = await codes('filter[type]=fiat&page[number]=2');
    const listed = [...data.map(({ code }: Json) => code), ...rest];
    expect(listed).toHaveLength(meta.page.total);
    expect(listed).toEqual([...new Set(listed)].sort());
    expect(await codes('filter[type]=fiat&page[number]=3')).toEqual([]);
  });

  test('200: sorts, filters and pages custom and fiat ones together', async () => {
    await create('ZZZ_UNIT', { name: 'Aaa unit' });
    expect((await codes('page[size]=1&sort=code desc'))[0]).toBe('ZZZ_UNIT');
    expect((await codes('page[size]=1&sort=name'))[0]).toBe('ZZZ_UNIT');
    expect(await codes('filter[code][oeq]=USD,ZZZ_UNIT,NOPE')).toEqual(['USD', 'ZZZ_UNIT']);
    expect(await codes('filter[code][oeq]=USD,ZZZ_UNIT&filter[type]=custom')).toEqual(['ZZZ_UNIT']);
    expect(await codes('filter[code][contains]=zz_u')).toEqual(['ZZZ_UNIT']);
    expect(await codes('filter[code][gte]=ZMW&filter[code][lt]=ZZ')).toEqual(['ZMW', 'ZWG']);
    expect(await codes('filter[code][neq]=USD&filter[code][ocontains]=usd,eur')).toEqual(['EUR']);
  });

  test.each([
    ['filter[type]=crypto', 'filter[type] enum'],
    ['filter[type][neq]=fiat', 'filter[type][neq] invalid'],
    ['filter[name]=x', 'filter[name] invalid'],
    ['sort=precision', 'sort enum'],
    ['expand=everything', 'expand enum'],
    ['page[size]=x', 'page[size] is_integer'],
  ])('400: %s', async (query, expected) => {
    const answer = await list(query);
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
  });
});

describe('POST /currencies/custom', () => {
  test('201: answers what was sent', async () => {
    const { status, json } = await call('POST', '/currencies/custom', CREDITS);
    expect(status).toBe(201);
    expect(json).toEqual({ type: 'custom', ...CREDITS, id: expect.any(String), created_at: '2026-11-21T12:00:00Z' });
    expect((await call('GET', `/currencies/custom/${json.id}`)).json).toEqual({ ...json, cost_basis: [] });
    expect((await list('filter[code]=CREDITS')).json.data).toEqual([json]);
  });

  test.each([
    ['a code of three', { code: 'ABC' }, 'code min_length'],
    ['a code of 25', { code: 'A'.repeat(25) }, 'code max_length'],
    ['a code with a space', { code: 'MY CODE' }, 'code matches_regex'],
    ['no name', { name: undefined }, 'name required'],
    ['13 digits', { precision: 13 }, 'precision max'],
    ['half a digit', { precision: 0.5 }, 'precision type'],
    ['negative digits', { precision: -1 }, 'precision min'],
    ['an empty mark', { decimal_mark: '' }, 'decimal_mark min_length'],
    ['a long separator', { thousand_separator: ', ' }, 'thousand_separator max_length'],
    ['marks alike', { thousand_separator: '.' }, 'thousand_separator invalid'],
    ['an unknown field', { rate: '1' }, 'rate unknown_property'],
  ])('400: %s', async (_name, fields, expected) => {
    const answer = await call('POST', '/currencies/custom', { ...CREDITS, code: 'REFUSED', ...fields });
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
  });

  test('409: a code in use', async () => {
    await create('TAKEN');
    expect((await call('POST', '/currencies/custom', { ...CREDITS, code: 'TAKEN' })).status).toBe(409);
  });
});

describe('cost bases', () => {
  const add = (id: string, fields: Record<string, unknown> = {}) =>
    call('POST', `/currencies/custom/${id}/cost-bases`, { fiat_code: 'USD', rate: '0.01', ...fields });
  const read = async (id: string, query = '') =>
    (await call('GET', `/currencies/custom/${id}/cost-bases?${query}`)).json.data.map(
      ({ fiat_code, rate, effective_from, effective_to }: Json) =>
        `${fiat_code} ${rate} ${effective_from.slice(0, 10)} ${effective_to?.slice(0, 10) ?? ''}`,
    );

  test('one holds at a time: the one before ends where the new one begins, the new one where the next begins', async () => {
    const { id } = await create('BASED');
    const first = await add(id);
    expect(first).toMatchObject({
      status: 201,
      json: { fiat_code: 'USD', rate: '0.01', effective_from: '2026-11-21T12:00:00Z' },
    });
    expect(first.json).not.toHaveProperty('effective_to');
    await add(id, { fiat_code: 'EUR', rate: '0.008' });
    await add(id, { rate: '0.03', effective_from: '2027-03-01T01:00:00+01:00' });
    await add(id, { rate: '0.02', effective_from: '2027-01-01T00:00:00Z' });
    expect(await read(id)).toEqual([
      'USD 0.03 2027-03-01 ',
      'USD 0.02 2027-01-01 2027-03-01',
      'EUR 0.008 2026-11-21 ',
      'USD 0.01 2026-11-21 2027-01-01',
    ]);
    expect(await read(id, 'filter[fiat_code]=EUR')).toEqual(['EUR 0.008 2026-11-21 ']);
    expect(await read(id, 'page[size]=1&page[number]=2')).toEqual(['USD 0.02 2027-01-01 2027-03-01']);
    await add(id, { rate: '0.04', effective_from: '2027-02-01T00:00:00Z', effective_to: '2027-02-08T00:00:00Z' });
    expect((await read(id)).slice(1, 3)).toEqual(['USD 0.04 2027-02-01 2027-02-08', 'USD 0.02 2027-01-01 2027-02-01']);
  });

  test('a currency shows those that hold now and later', async () => {
    const { id } = await create('SHOWN');
    await add(id);
    backend.clock.advanceMs(1000);
    await add(id, { rate: '0.02' });
    await add(id, { rate: '0.05', effective_from: '2027-01-01T00:00:00Z' });
    const shown = (await call('GET', `/currencies/custom/${id}`)).json;
    expect(shown.cost_basis).toMatchObject([{ rate: '0.02' }, { rate: '0.05' }]);
    expect((await list('filter[code]=SHOWN&expand=cost_basis')).json.data).toEqual([shown]);
    expect((await list('filter[code]=SHOWN')).json.data[0]).not.toHaveProperty('cost_basis');
  });

  test.each([
    ['a custom currency', { fiat_code: 'CREDITS' }, 'fiat_code matches_regex'],
    ['an unknown currency', { fiat_code: 'ABC' }, 'fiat_code invalid'],
    ['no rate', { rate: undefined }, 'rate required'],
    ['a number', { rate: 1 }, 'rate type'],
    ['a rate of 0', { rate: '0.00' }, 'rate matches_regex'],
    ['a negative rate', { rate: '-1' }, 'rate matches_regex'],
    ['a date', { effective_from: '2027-01-01' }, 'effective_from is_date_time'],
    ['the past', { effective_from: '2026-11-21T11:00:00Z' }, 'effective_from invalid'],
    ['an end before now', { effective_to: '2026-11-21T11:00:00Z' }, 'effective_to invalid'],
  ])('400: %s', async (name, fields, expected) => {
    const { id } = await create(`BAD_${name.replaceAll(' ', '_').toUpperCase()}`.slice(0, 24));
    const answer = await add(id, fields);
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
    expect(await read(id)).toEqual([]);
  });
});

describe('every operation', () => {
  test('401 without a token, 403 for what the role does not include', async () => {
    const { id } = await create('ROLES');
    const operations: [string, string, unknown?][] = [
      ['GET', '/currencies'],
      ['POST', '/currencies/custom', { ...CREDITS, code: 'BY_ROLE' }],
      ['GET', `/currencies/custom/${id}`],
      ['GET', `/currencies/custom/${id}/cost-bases`],
      ['POST', `/currencies/custom/${id}/cost-bases`, { fiat_code: 'USD', rate: '1' }],
    ];
    for (const [method, path, body] of operations) {
      const as = (token: string | null) =>
        backend.request(method, path, { token, ...(body !== undefined && { body }) });
      expect((await as(null)).status).toBe(401);
      expect((await as(TOKENS.ingest)).status).toBe(403);
      expect((await as(TOKENS.viewer)).status).toBe(method === 'GET' ? 200 : 403);
    }
  });

  test('404 for an unknown id, and for what is no id', async () => {
    for (const id of [UNKNOWN_ID, 'USD', 'CREDITS']) {
      expect((await call('GET', `/currencies/custom/${id}`)).status).toBe(404);
      expect((await call('GET', `/currencies/custom/${id}/cost-bases`)).status).toBe(404);
      const basis = { fiat_code: 'USD', rate: '1' };
      expect((await call('POST', `/currencies/custom/${id}/cost-bases`, basis)).status).toBe(404);
    }
  });
});
