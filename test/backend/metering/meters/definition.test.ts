import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { reusedBackend, type TestBackend } from '../../../support/backend.ts';

const reused = reusedBackend();
let backend: TestBackend;
beforeEach(async () => {
  backend = await reused.get();
});
afterAll(() => reused.close());

const tokens = { name: 'Tokens', key: 'tokens', aggregation: 'sum', event_type: 'prompt', value_property: '$.tokens' };
const create = (fields: Record<string, unknown> = {}) =>
  backend.request('POST', '/meters', { body: { ...tokens, ...fields } });
const UNKNOWN_ID = '01G65Z755AFWAKHE12NY0CQ9FH';

describe('create', () => {
  test('answers the meter', async () => {
    const answer = await create({
      description: 'All of them',
      labels: { env: 'test' },
      events_from: '2026-01-01T01:00:00+01:00',
      dimensions: { model: '$.model', type: "$['type']", first: '$.list[0]', deep: '$.a["b"].c' },
    });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      ...tokens,
      id: expect.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
      description: 'All of them',
      labels: { env: 'test' },
      events_from: '2026-01-01T00:00:00Z',
      dimensions: { model: '$.model', type: "$['type']", first: '$.list[0]', deep: '$.a["b"].c' },
      created_at: '2026-11-21T12:00:00Z',
      updated_at: '2026-11-21T12:00:00Z',
    });
    expect((await backend.request('GET', `/meters/${answer.json.id}`)).json).toEqual(answer.json);
  });

  test.each(['sum', 'unique_count', 'avg', 'min', 'max', 'latest'])(
    '%s needs a value property',
    async (aggregation) => {
      expect((await create({ aggregation })).status).toBe(201);
      const answer = await create({ key: 'other', aggregation, value_property: undefined });
      expect(answer.status).toBe(400);
      expect(answer.json.invalid_parameters[0].field).toBe('value_property');
    },
  );

  test('count takes none', async () => {
    expect((await create({ aggregation: 'count' })).json.invalid_parameters[0].field).toBe('value_property');
    const bad = async (value_property: string) => (await create({ value_property })).json.invalid_parameters[0].reason;
    expect(await bad('$.a.')).toBe(
      'invalid value property: is not a JSONPath that a meter can use: expected a name or "*" at character 5',
    );
    expect(await bad('$.a[')).toBe(
      'invalid value property: is not a JSONPath that a meter can use: expected a quoted name, an index, "*" or "?" at character 5',
    );
    expect((await create({ aggregation: 'count', value_property: undefined })).status).toBe(201);
  });

  test.each([
    ['key with upper case', { key: 'Tokens' }, 'key'],
    ['key with a dash', { key: 'a-b' }, 'key'],
    ['key ending in an underscore', { key: 'a_' }, 'key'],
    ['key of 65 characters', { key: 'a'.repeat(65) }, 'key'],
    ['no key', { key: undefined }, 'key'],
    ['empty name', { name: '' }, 'name'],
    ['name of 257 characters', { name: 'x'.repeat(257) }, 'name'],
    ['description of 1025 characters', { description: 'x'.repeat(1025) }, 'description'],
    ['unknown aggregation', { aggregation: 'SUM' }, 'aggregation'],
    ['empty event type', { event_type: '' }, 'event_type'],
    ['events_from that is no date', { events_from: '2026' }, 'events_from'],
    ['value property without $', { value_property: 'tokens' }, 'value_property'],
    ['value property that does not parse', { value_property: '$.[' }, 'value_property'],
    ['value property with code', { value_property: '$[?(process.exit())]' }, 'value_property'],
    ['value property with a pattern', { value_property: "$.items[?search(@.path,'(a|a)*b')]" }, 'value_property'],
    ['value property of several', { value_property: '$.items[0,1]' }, 'value_property'],
    ['dimension with a slice', { dimensions: { a: '$.items[1:]' } }, 'dimensions.a'],
    ['dimension named subject', { dimensions: { subject: '$.x' } }, 'dimensions.subject'],
    ['dimension named customer_id', { dimensions: { customer_id: '$.x' } }, 'dimensions.customer_id'],
    ['dimension with a dash', { dimensions: { 'a-b': '$.x' } }, 'dimensions.a-b'],
    ['dimension with a digit first', { dimensions: { '1a': '$.x' } }, 'dimensions.1a'],
    ['dimension path without $', { dimensions: { a: 'x' } }, 'dimensions.a'],
    ['dimension on the value property', { dimensions: { a: '$.tokens' } }, 'dimensions.a'],
    ['dimension that is a number', { dimensions: { a: 1 } }, 'dimensions.a'],
    ['reserved label prefix', { labels: { kong_x: 'a' } }, 'labels.kong_x'],
    ['label value with a blank', { labels: { a: 'b c' } }, 'labels.a'],
    ['unknown property', { eventType: 'prompt' }, 'eventType'],
  ])('refuses %s', async (_name, fields, field) => {
    const answer = await create(fields);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field, source: 'body' });
    expect((await backend.request('GET', '/meters')).json.meta.page.total).toBe(0);
  });

  test('__proto__ is named, wherever it stands', async () => {
    for (const [part, field] of [
      ['"labels":{"__proto__":"x"}', 'labels.__proto__'],
      ['"__proto__":{}', '__proto__'],
      ['"dimensions":{"__proto__":"$.x"}', 'dimensions.__proto__'],
    ]) {
      const rawBody = `{${part},${JSON.stringify(tokens).slice(1)}`;
      const answer = await backend.request('POST', '/meters', {
        rawBody,
        headers: { 'Content-Type': 'application/json' },
      });
      expect(answer.json.invalid_parameters).toEqual([expect.objectContaining({ field, rule: 'unknown_property' })]);
    }
  });

  test('reserved dimensions carry their code', async () => {
    const answer = await create({ dimensions: { subject: '$.x' } });
    expect(answer.json.extensions.validationErrors[0].code).toBe('reserved_dimension');
  });

  test('a key belongs to one living meter', async () => {
    const first = await create();
    expect((await create()).status).toBe(409);
    await backend.request('DELETE', `/meters/${first.json.id}`);
    expect((await create()).status).toBe(201);
  });

  test('of ten simultaneous creations of a key one succeeds', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create()));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(9).fill(409)]);
  });
});

describe('list', () => {
  beforeEach(async () => {
    for (const [index, key] of ['b_requests', 'a_tokens', 'c_runs'].entries()) {
      await create({ key, name: `Meter ${index}`, aggregation: ['sum', 'max', 'avg'][index] });
      backend.clock.advanceMs(1000);
    }
  });
  const keys = async (query: string) =>
    (await backend.request('GET', `/meters?${query}`)).json.data.map((meter: { key: string }) => meter.key);

  test.each([
    ['', ['b_requests', 'a_tokens', 'c_runs']],
    ['sort=created_at desc', ['c_runs', 'a_tokens', 'b_requests']],
    ['sort=key', ['a_tokens', 'b_requests', 'c_runs']],
    ['sort=name desc', ['c_runs', 'a_tokens', 'b_requests']],
    ['sort=aggregation', ['c_runs', 'a_tokens', 'b_requests']],
    ['sort=updated_at', ['b_requests', 'a_tokens', 'c_runs']],
    ['filter[key]=a_tokens', ['a_tokens']],
    ['filter[key][contains]=_R', ['b_requests', 'c_runs']],
    ['filter[name][oeq]=Meter 0,Meter 2', ['b_requests', 'c_runs']],
    ['page[size]=2', ['b_requests', 'a_tokens']],
    ['page[size]=2&page[number]=2', ['c_runs']],
    ['page[number]=9', []],
  ])('"%s"', async (query, expected) => {
    expect(await keys(query)).toEqual(expected);
  });

  test('tells number, size and total', async () => {
    const { json } = await backend.request('GET', '/meters?page[size]=2&page[number]=2&filter[key][contains]=_');
    expect(json.meta).toEqual({ page: { number: 2, size: 2, total: 3 } });
  });

  test.each([
    'sort=id',
    'filter[id]=x',
    'page[size]=0',
    'page[number]=0',
    'page[size]=x',
    'page[after]=x',
    'page=2',
    'page[size]=1&page[size]=2',
  ])('refuses %s', async (query) => {
    expect((await backend.request('GET', `/meters?${query}`)).status).toBe(400);
  });

  test('leaves deleted meters out', async () => {
    const { json } = await backend.request('GET', '/meters?filter[key]=a_tokens');
    await backend.request('DELETE', `/meters/${json.data[0].id}`);
    expect(await keys('')).toEqual(['b_requests', 'c_runs']);
  });
});

describe('update', () => {
  test('replaces name, labels and dimensions; an omitted description stays', async () => {
    const { json: meter } = await create({ description: 'kept', labels: { a: 'b' }, dimensions: { model: '$.model' } });
    backend.clock.advanceMs(5000);
    const answer = await backend.request('PUT', `/meters/${meter.id}`, {
      body: { name: 'New', dimensions: { type: '$.type' } },
    });
    const { labels: _labels, ...kept } = meter;
    expect(answer.json).toEqual({
      ...kept,
      name: 'New',
      dimensions: { type: '$.type' },
      updated_at: '2026-11-21T12:00:05Z',
    });
    expect((await backend.request('GET', `/meters/${meter.id}`)).json).toEqual(answer.json);
  });

  test('omitted dimensions are removed', async () => {
    const { json: meter } = await create({ dimensions: { model: '$.model' } });
    expect((await backend.request('PUT', `/meters/${meter.id}`, { body: { name: 'x' } })).json).not.toHaveProperty(
      'dimensions',
    );
  });

  test.each([
    ['empty name', { name: '' }, 'name'],
    ['key', { name: 'x', key: 'other' }, 'key'],
    ['aggregation', { name: 'x', aggregation: 'max' }, 'aggregation'],
    ['reserved dimension', { name: 'x', dimensions: { subject: '$.s' } }, 'dimensions.subject'],
    ['dimension on the value property', { name: 'x', dimensions: { a: '$.tokens' } }, 'dimensions.a'],
  ])('refuses %s', async (_name, body, field) => {
    const { json: meter } = await create();
    const answer = await backend.request('PUT', `/meters/${meter.id}`, { body });
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0].field).toBe(field);
  });

  test('404 for unknown, 410 for deleted meters', async () => {
    expect((await backend.request('PUT', `/meters/${UNKNOWN_ID}`, { body: { name: 'x' } })).status).toBe(404);
    const { json: meter } = await create();
    await backend.request('DELETE', `/meters/${meter.id}`);
    expect((await backend.request('PUT', `/meters/${meter.id}`, { body: { name: 'x' } })).status).toBe(410);
  });
});

describe('get and delete', () => {
  test('a deleted meter answers with deleted_at; deleting again does nothing', async () => {
    const { json: meter } = await create();
    expect((await backend.request('DELETE', `/meters/${meter.id}`)).status).toBe(204);
    backend.clock.advanceMs(5000);
    expect((await backend.request('DELETE', `/meters/${meter.id}`)).status).toBe(204);
    expect((await backend.request('GET', `/meters/${meter.id}`)).json.deleted_at).toBe('2026-11-21T12:00:00Z');
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s: 404 for unknown and for malformed ids', async (method) => {
    for (const id of [UNKNOWN_ID, 'tokens', UNKNOWN_ID.toLowerCase()]) {
      const answer = await backend.request(method, `/meters/${id}`, method === 'PUT' ? { body: { name: 'x' } } : {});
      expect([answer.status, answer.json.title]).toEqual([404, 'Not Found']);
    }
  });
});

describe('built-in meters and templates', () => {
  test('are off until enabled; enabling twice makes one meter', async () => {
    const list = async () =>
      (await backend.request('GET', '/built-in-meters')).json.data.map((m: { key: string; enabled: boolean }) => [
        m.key,
        m.enabled,
      ]);
    expect(await list()).toEqual([
      ['kong_konnect_api_request', false],
      ['kong_konnect_llm_tokens', false],
    ]);
    const first = await backend.request('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
    const again = await backend.request('POST', '/built-in-meters/kong_konnect_llm_tokens/enable');
    expect(first.json).toMatchObject({
      name: 'AI Gateway Tokens',
      aggregation: 'sum',
      event_type: 'kong.llm_request',
      value_property: '$.tokens',
    });
    expect(Object.keys(first.json.dimensions)).toHaveLength(15);
    expect(again.json.id).toBe(first.json.id);
    expect(await list()).toEqual([
      ['kong_konnect_api_request', false],
      ['kong_konnect_llm_tokens', true],
    ]);
    expect((await backend.request('POST', '/built-in-meters/kong_konnect_llm_tokens/disable')).status).toBe(204);
    expect(await list()).toEqual([
      ['kong_konnect_api_request', false],
      ['kong_konnect_llm_tokens', false],
    ]);
    expect((await backend.request('POST', '/built-in-meters/other/enable')).status).toBe(404);
  });

  test('every template can be created as it is', async () => {
    const { json } = await backend.request('GET', '/meter-templates');
    expect(json.data.map((template: { key: string }) => template.key)).toContain('agent_runs_total');
    for (const template of json.data)
      expect((await backend.request('POST', '/meters', { body: template })).status).toBe(201);
  });
});
