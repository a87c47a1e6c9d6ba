import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { reusedBackend, type TestBackend } from '../../../support/backend.ts';

// Three requests a second apart: received at 12:00:00, :01, :02; event times run the other way.
const reused = reusedBackend(async (fresh) => {
  backend = fresh;
  for (const [index, id] of ['a-1', 'b-2', 'C_3'].entries()) {
    await ingest({
      id,
      source: `src/${index}`,
      type: index === 2 ? 'login' : 'prompt',
      subject: ['alice', 'bob', 'Carol%'][index],
      time: `2026-11-0${3 - index}T00:00:00Z`,
    });
    backend.clock.advanceMs(1000);
  }
});
let backend: TestBackend;
beforeEach(async () => {
  backend = await reused.get();
});
afterAll(() => reused.close());

const ingest = (event: Record<string, unknown>) =>
  backend.request('POST', '/events', {
    rawBody: JSON.stringify({ specversion: '1.0', ...event }),
    headers: { 'Content-Type': 'application/cloudevents+json' },
  });
const list = (query: string) => backend.request('GET', `/events?${query}`);
const ids = async (query: string) =>
  (await list(query)).json.data.map((item: { event: { id: string } }) => item.event.id);

describe('order', () => {
  test.each([
    ['', ['a-1', 'b-2', 'C_3']],
    ['sort=time', ['a-1', 'b-2', 'C_3']],
    ['sort=time asc', ['C_3', 'b-2', 'a-1']],
    ['sort=time+desc', ['a-1', 'b-2', 'C_3']],
    ['sort=ingested_at', ['C_3', 'b-2', 'a-1']],
    ['sort=stored_at%20asc', ['a-1', 'b-2', 'C_3']],
  ])('"%s"', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  test.each(['sort=subject', 'sort=time up', 'sort=time asc desc'])(
    'refuses %s and lists the fields',
    async (query) => {
      const answer = await list(query);
      expect(answer.json.invalid_parameters).toEqual([
        expect.objectContaining({ field: 'sort', choices: ['time', 'ingested_at', 'stored_at'] }),
      ]);
    },
  );
});

describe('filters', () => {
  test.each([
    ['filter[id]=a-1', ['a-1']],
    ['filter[id][eq]=a-1', ['a-1']],
    ['filter[id][neq]=a-1', ['b-2', 'C_3']],
    ['filter[id][contains]=c_', ['C_3']],
    ['filter[subject][contains]=%25', ['C_3']],
    ['filter[subject][oeq]=alice,bob', ['a-1', 'b-2']],
    ['filter[subject][ocontains]=ALI,aro', ['a-1', 'C_3']],
    ['filter[source][gt]=src/0', ['b-2', 'C_3']],
    ['filter[source][gte]=src/1&filter[source][lt]=src/2', ['b-2']],
    ['filter[type][exists]=true', ['a-1', 'b-2', 'C_3']],
    ['filter[type]=', ['a-1', 'b-2', 'C_3']],
    ['filter[type][exists]=false', []],
    ['filter[type][nexists]=true', []],
    ['filter[type]=login&filter[subject]=bob', []],
    ['filter[time][gte]=2026-11-02T00:00:00Z', ['a-1', 'b-2']],
    ['filter[time]=2026-11-02T01:00:00%2B01:00', ['b-2']],
    ['filter[ingested_at][gt]=2026-11-21T12:00:00Z', ['b-2', 'C_3']],
    ['filter[stored_at][lte]=2026-11-21T12:00:00Z', ['a-1']],
  ])('%s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  test.each([
    ['filter[colour]=red', 'filter[colour]'],
    ['filter=x', 'filter'],
    ['filter[id][like]=x', 'filter[id][like]'],
    ['filter[time][contains]=x', 'filter[time][contains]'],
    ['filter[time]=monday', 'filter[time]'],
    ['filter[customer_id]=acme', 'filter[customer_id]'],
    ['filter[customer_id][neq]=01G65Z755AFWAKHE12NY0CQ9FH', 'filter[customer_id]'],
    ['filter[customer_id]=01G65Z755AFWAKHE12NY0CQ9FH', 'filter[customer_id]'],
    ['filter[id]=1&filter[id]=2', 'filter[id]'],
    [`filter[id]=${'x'.repeat(1025)}`, 'filter[id]'],
    [`filter[id][oeq]=${Array(51).fill('x').join(',')}`, 'filter[id][oeq]'],
    ['filter[id][eq][eq]=1', 'filter[id][eq][eq]'],
    ['filter[id=1', 'filter[id'],
    ['filter[id][ocontains]=a,,b', 'filter[id][ocontains]'],
  ])('refuses %s', async (query, field) => {
    const answer = await list(query);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field, source: 'query' });
  });

  test('unknown customers are named as the contract does', async () => {
    const answer = await list('filter[customer_id]=01G65Z755AFWAKHE12NY0CQ9FH');
    expect(answer.json.detail).toContain('customers not found in namespace');
  });

  test('of two filters of customers both hold', async () => {
    const customer = async (key: string, subject: string): Promise<string> => {
      const body = { key, name: key, usage_attribution: { subject_keys: [subject] } };
      return (await backend.request('POST', '/customers', { body })).json.id;
    };
    const [one, other] = [await customer('one', 'alice'), await customer('other', 'bob')];
    const both = `filter[customer_id][oeq]=${one},${other}`;
    expect(await ids(both)).toEqual(['a-1', 'b-2']);
    expect(await ids(`filter[customer_id]=${one}&${both}`)).toEqual(['a-1']);
    expect(await ids(`filter[customer_id]=${one}&filter[customer_id][eq]=${other}`)).toEqual([]);
  });
});

describe('pages', () => {
  test('a cursor walks through everything once, also among equal times', async () => {
    for (let index = 0; index < 25; index++) {
      await ingest({ id: `same-${index}`, source: 's', type: 't', subject: 'x', time: '2026-11-02T00:00:00Z' });
    }
    for (const sort of ['time', 'time asc', 'ingested_at', 'stored_at asc']) {
      const seen: string[] = [];
      let after = '';
      do {
        const { json } = await list(`sort=${sort}&page[size]=3${after}`);
        seen.push(...json.data.map((item: { event: { id: string } }) => item.event.id));
        after = json.meta.page.next === null ? '' : `&page[after]=${json.meta.page.next}`;
        if (json.data.length < 3) expect(json.meta.page.next).toBeNull();
      } while (after !== '');
      expect(seen).toHaveLength(28);
      expect(new Set(seen).size).toBe(28);
    }
  });

  test('meta carries bare cursors; an empty page has none', async () => {
    const { json } = await list('page[size]=2');
    expect(json.meta.page).toEqual({
      size: 2,
      first: expect.any(String),
      last: expect.any(String),
      next: json.meta.page.last,
      previous: null,
    });
    expect((await list('filter[id]=none')).json).toEqual({
      data: [],
      meta: { page: { size: 20, next: null, previous: null } },
    });
  });

  test.each([
    ['page[size]=0', 'page[size]'],
    ['page[size]=101', 'page[size]'],
    ['page[size]=many', 'page[size]'],
    ['page[before]=x', 'page[before]'],
    ['page[number]=1', 'page[number]'],
    ['page=1', 'page'],
    ['page[after]=elsewhere', 'page[after]'],
    [`page[after]=${Buffer.from('2026-11-21T00:00:00Z,01G65Z755AFWAKHE12NY0CQ9FH').toString('base64')}`, 'page[after]'],
  ])('refuses %s', async (query, field) => {
    const answer = await list(query);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field, source: 'query' });
  });

  test('refuses a cursor of another sorting', async () => {
    const { json } = await list('page[size]=1');
    const answer = await list(`page[size]=1&sort=ingested_at&page[after]=${json.meta.page.next}`);
    expect(answer.json.invalid_parameters[0].field).toBe('page[after]');
  });
});

describe('validation errors', () => {
  const meter = (fields: Record<string, unknown>) =>
    backend.request('POST', '/meters', {
      body: {
        name: 'Values',
        key: 'values',
        aggregation: 'sum',
        event_type: 'value',
        value_property: '$.v',
        ...fields,
      },
    });
  const problems = async (data: string | undefined) => {
    const body = `{"id":"v","source":"s","type":"value","subject":"x"${data === undefined ? '' : `,"data":${data}`}}`;
    await backend.request('POST', '/events', { rawBody: body, headers: { 'Content-Type': 'application/json' } });
    const { json } = await list('filter[type]=value');
    return json.data[0].validation_errors
      .map((error: { message: string }) => error.message)
      .filter((message: string) => !message.startsWith('no customer'));
  };

  test.each([
    [undefined, 'invalid event: null and missing value property'],
    ['{}', 'invalid event: missing value property: "$.v"'],
    ['{"v":null}', 'invalid event: value cannot be null'],
    ['{"v":"abc"}', 'invalid event: value cannot be parsed as float64: abc'],
    ['{"v":""}', 'invalid event: value cannot be parsed as float64: '],
    ['{"v":"1e400"}', 'invalid event: value cannot be parsed as float64: 1e400'],
    ['{"v":1e400}', 'invalid event: value cannot be parsed as float64: 1e400'],
    ['{"v":"NaN"}', 'invalid event: value cannot be NaN'],
    ['{"v":"-Inf"}', 'invalid event: value cannot be infinity'],
    ['{"v":"+Inf"}', 'invalid event: value cannot be infinity'],
    ['{"v":true}', 'invalid event: unsupported value property type: bool'],
    ['{"v":{}}', 'invalid event: unsupported value property type: map[string]interface {}'],
    ['{"v":[1]}', 'invalid event: unsupported value property type: []interface {}'],
  ])('data %s: %s', async (data, message) => {
    await meter({});
    expect(await problems(data)).toEqual([message]);
  });

  test.each(['{"v":1}', '{"v":"12.5"}', '{"v":" 1e3"}', '{"v":12345678901234567890}'])(
    'data %s is usable',
    async (data) => {
      await meter({});
      expect(await problems(data)).toEqual([]);
    },
  );

  test('every meter of the type speaks; a count is never unhappy', async () => {
    await meter({});
    await meter({ key: 'distinct', aggregation: 'unique_count', value_property: '$.id' });
    await meter({ key: 'runs', aggregation: 'count', value_property: undefined });
    expect(await problems('{"v":"x"}')).toEqual([
      'invalid event: value cannot be parsed as float64: x',
      'invalid event: missing value property: "$.id"',
    ]);
  });

  test('a deleted meter is silent', async () => {
    const { json } = await meter({});
    await backend.request('DELETE', `/meters/${json.id}`);
    expect(await problems('{}')).toEqual(['no meter found for event type: value']);
  });
});
