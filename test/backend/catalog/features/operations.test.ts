import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, refused, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createFeature, createMeter } from '../../../support/catalog/features.ts';

let backend: TestBackend;
let meter: Json;
beforeAll(async () => {
  backend = await createTestBackend();
  meter = await createMeter(backend, 'tokens');
});
afterAll(() => backend.close());

const post = (body: unknown) => backend.request('POST', '/features', { body });
const patch = (id: string, body: unknown) => backend.request('PATCH', `/features/${id}`, { body });
const get = (id: string) => backend.request('GET', `/features/${id}`);
const remove = (id: string) => backend.request('DELETE', `/features/${id}`);

const LLM = { type: 'llm', provider: 'openai', model_property: 'model', token_type: 'input' };

describe('POST /features', () => {
  test('201: answers what was sent, with id and times, and only that', async () => {
    const body = {
      key: 'full',
      name: 'Full',
      description: 'Everything',
      labels: { env: 'test' },
      meter: { id: meter.id, filters: { route: { eq: 'chat' }, model: { or: [{ eq: 'a' }, { contains: 'b' }] } } },
      unit_cost: LLM,
    };
    const { status, json } = await post(body);
    expect(status).toBe(201);
    const at = '2026-11-21T12:00:00Z';
    expect(json).toEqual({ ...body, id: expect.any(String), created_at: at, updated_at: at });
    expect((await get(json.id)).json).toEqual(json);
  });

  test('201: a static feature', async () => {
    const { status, json } = await post({ key: 'sso', name: 'Single sign-on' });
    expect(status).toBe(201);
    expect(Object.keys(json).sort()).toEqual(['created_at', 'id', 'key', 'name', 'updated_at']);
  });

  test('201: a manual unit cost keeps its digits', async () => {
    const unit_cost = { type: 'manual', amount: '0.000000000123456789012345' };
    expect((await createFeature(backend, 'manual_cost', { unit_cost })).unit_cost).toEqual(unit_cost);
  });

  test.each([
    ['eq', { eq: 'a' }],
    ['neq', { neq: 'a' }],
    ['in', { in: ['a', 'b'] }],
    ['nin', { nin: ['a'] }],
    ['contains', { contains: 'a' }],
    ['ncontains', { ncontains: 'a' }],
    ['exists', { exists: true }],
    ['exists_false', { exists: false }],
    ['and', { and: [{ neq: 'a' }, { contains: 'b' }] }],
    ['or', { or: [{ in: ['a'] }, { eq: 'b' }] }],
    ['nested', { and: [{ or: [{ eq: 'a' }, { contains: 'b' }] }, { ncontains: 'c' }] }],
    ['several', { contains: 'a', neq: 'abc' }],
  ])('201: the filter %s', async (name, filter) => {
    const feature = await createFeature(backend, `filter_${name}`, {
      meter: { id: meter.id, filters: { route: filter } },
    });
    expect(feature.meter).toEqual({ id: meter.id, filters: { route: filter } });
  });

  test.each(['sum', 'count', 'unique_count', 'latest'])('201: a meter with the aggregation %s', async (aggregation) => {
    const other = await createMeter(backend, `for_${aggregation}`, { aggregation });
    await createFeature(backend, `on_${aggregation}`, { meter: { id: other.id } });
  });

  test.each(['avg', 'min', 'max'])('400: a meter with the aggregation %s', async (aggregation) => {
    const other = await createMeter(backend, `for_${aggregation}`, { aggregation });
    const answer = await post({ key: `on_${aggregation}`, name: 'n', meter: { id: other.id } });
    expect(answer).toMatchObject({ status: 400, json: { type: 'about:blank' } });
    expect(answer.json.extensions.validationErrors).toMatchObject([
      { code: 'feature_invalid_meter_aggregation', field: 'meter.id', severity: 'critical' },
    ]);
  });

  test('400: everything that does not fit the meter, by field', async () => {
    const answer = await post({
      key: 'misfit',
      name: 'n',
      meter: { id: meter.id, filters: { host: { eq: 'a' }, subject: { eq: 'a' } } },
      unit_cost: { type: 'llm', provider_property: 'vendor', model_property: 'model', token_type_property: 'kind' },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters.map(({ field }: Json) => field)).toEqual([
      'meter.filters.host',
      'meter.filters.subject',
      'unit_cost.provider_property',
      'unit_cost.token_type_property',
    ]);
    expect(answer.json.detail).toContain('it has route, model, provider, type');
  });

  test('400: an LLM unit cost without a meter', async () => {
    const answer = await post({ key: 'static_llm', name: 'n', unit_cost: LLM });
    expect(answer.json.extensions.validationErrors).toMatchObject([
      { code: 'feature_llm_cost_without_meter', field: 'unit_cost.type' },
    ]);
  });

  test('400: a meter that does not exist, or was deleted', async () => {
    const gone = await createMeter(backend, 'gone');
    await backend.request('DELETE', `/meters/${gone.id}`);
    for (const id of [UNKNOWN_ID, gone.id]) {
      const answer = await post({ key: 'orphan', name: 'n', meter: { id } });
      expect([answer.status, refused(answer)]).toEqual([400, ['meter.id missing_reference']]);
    }
  });

  const at = (filter: unknown) => ({ meter: { id: UNKNOWN_ID, filters: { route: filter } } });
  test.each([
    ['no key', { key: undefined }, 'key required'],
    ['upper case', { key: 'Tokens' }, 'key matches_regex'],
    ['a dash', { key: 'a-b' }, 'key matches_regex'],
    ['a key of 65 characters', { key: 'a'.repeat(65) }, 'key max_length'],
    ['a key like a ULID', { key: '01hzzzzzzzzzzzzzzzzzzzzzzz' }, 'key invalid'],
    ['no name', { name: undefined }, 'name required'],
    ['an empty name', { name: '' }, 'name min_length'],
    ['a reserved label', { labels: { kong_x: 'y' } }, 'labels.kong_x is_label'],
    ['an unknown field', { meter_slug: 'tokens' }, 'meter_slug unknown_property'],
    ['no meter id', { meter: {} }, 'meter.id required'],
    ['a meter key for an id', { meter: { id: 'tokens' } }, 'meter.id matches_regex'],
    ['a filter without operator', at({}), 'meter.filters.route invalid'],
    ['an unknown operator', at({ eq: 'a', gt: '1' }), 'meter.filters.route.gt unknown_property'],
    ['an empty list', at({ in: [] }), 'meter.filters.route.in min_items'],
    ['a list of 101', at({ in: Array.from({ length: 101 }, String) }), 'meter.filters.route.in max_items'],
    ['a number', at({ eq: 1 }), 'meter.filters.route.eq type'],
    ['no alternatives', at({ or: [] }), 'meter.filters.route.or min_items'],
    [
      'eleven filters',
      {
        meter: {
          id: UNKNOWN_ID,
          filters: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`d${i}`, { eq: 'a' }])),
        },
      },
      'meter.filters max_items',
    ],
    ['an unknown unit cost', { unit_cost: { type: 'fixed' } }, 'unit_cost.type enum'],
    ['a cost that is a number', { unit_cost: { type: 'manual', amount: 1 } }, 'unit_cost.amount type'],
    ['a negative cost', { unit_cost: { type: 'manual', amount: '-1' } }, 'unit_cost.amount matches_regex'],
    ['an exponent', { unit_cost: { type: 'manual', amount: '1e3' } }, 'unit_cost.amount matches_regex'],
    ['no model', { unit_cost: { ...LLM, model_property: undefined } }, 'unit_cost.model required'],
    ['two providers', { unit_cost: { ...LLM, provider_property: 'p' } }, 'unit_cost.provider invalid'],
    ['an unknown token type', { unit_cost: { ...LLM, token_type: 'all' } }, 'unit_cost.token_type enum'],
    ['resolved pricing', { unit_cost: { ...LLM, pricing: {} } }, 'unit_cost.pricing unknown_property'],
  ])('400: %s', async (_name, fields, expected) => {
    const answer = await post({ key: 'refused', name: 'n', ...fields });
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
  });

  test('409: a key in use; free again once its feature is archived', async () => {
    const first = await createFeature(backend, 'taken');
    expect(await post({ key: 'taken', name: 'n' })).toMatchObject({
      status: 409,
      json: { extensions: { conflictingEntityId: first.id } },
    });
    expect(await remove(first.id)).toMatchObject({ status: 204 });
    const second = await createFeature(backend, 'taken');
    expect(second.id).not.toBe(first.id);
    expect((await post({ key: 'taken', name: 'n' })).json.extensions.conflictingEntityId).toBe(second.id);
  });
});

describe('PATCH /features/{featureId}', () => {
  test('200: sets, replaces, keeps and clears the unit cost; nothing else changes', async () => {
    const feature = await createFeature(backend, 'patched', { meter: { id: meter.id } });
    const manual = { type: 'manual', amount: '0.25' };
    backend.clock.advanceMs(1000);
    const changed = (await patch(feature.id, { unit_cost: manual })).json;
    expect(changed).toEqual({ ...feature, unit_cost: manual, updated_at: changed.updated_at });
    expect(Date.parse(changed.updated_at) - Date.parse(feature.updated_at)).toBeGreaterThanOrEqual(1000);
    expect((await patch(feature.id, { unit_cost: LLM })).json.unit_cost).toEqual(LLM);
    expect((await patch(feature.id, {})).json.unit_cost).toEqual(LLM);
    expect(await patch(feature.id, { unit_cost: null })).toMatchObject({ status: 200 });
    expect((await get(feature.id)).json).not.toHaveProperty('unit_cost');
  });

  test.each([
    ['a name', { name: 'other' }, 'name unknown_property'],
    ['a meter', { meter: { id: UNKNOWN_ID } }, 'meter unknown_property'],
    ['half an LLM cost', { unit_cost: { type: 'llm', provider: 'x', model: 'y' } }, 'unit_cost.token_type required'],
  ])('400: %s', async (name, body, expected) => {
    const feature = await createFeature(backend, `patch_${name.replaceAll(' ', '_').toLowerCase()}`);
    const answer = await patch(feature.id, body);
    expect([answer.status, refused(answer)]).toEqual([400, [expected]]);
    expect((await get(feature.id)).json).toEqual(feature);
  });

  test('400: an LLM cost that does not fit', async () => {
    const metered = await createFeature(backend, 'patch_metered', { meter: { id: meter.id } });
    const unmetered = await createFeature(backend, 'patch_static');
    const cost = { ...LLM, model_property: 'missing' };
    expect(refused(await patch(metered.id, { unit_cost: cost }))).toEqual(['unit_cost.model_property invalid']);
    expect(refused(await patch(unmetered.id, { unit_cost: LLM }))).toEqual(['unit_cost.type invalid']);
  });

  test('404: an archived feature', async () => {
    const feature = await createFeature(backend, 'patch_archived');
    await remove(feature.id);
    const answer = await patch(feature.id, { unit_cost: null });
    expect(answer).toMatchObject({ status: 404, json: { detail: expect.stringContaining('was archived at') } });
  });
});

describe('DELETE /features/{featureId}', () => {
  test('204: twice; the archived feature is still there by its id, and in no list', async () => {
    const feature = await createFeature(backend, 'archived', { meter: { id: meter.id } });
    backend.clock.advanceMs(1500);
    expect(await remove(feature.id)).toMatchObject({ status: 204, text: '' });
    const archived = (await get(feature.id)).json;
    expect(archived).toEqual({ ...feature, deleted_at: archived.updated_at, updated_at: archived.updated_at });
    backend.clock.advanceMs(1500);
    expect(await remove(feature.id)).toMatchObject({ status: 204 });
    expect((await get(feature.id)).json).toEqual(archived);
    const list = await backend.request('GET', '/features?filter[key]=archived');
    expect(list.json).toEqual({ data: [], meta: { page: { number: 1, size: 20, total: 0 } } });
  });
});

describe('every operation', () => {
  const operations = (id: string): [string, string, unknown?][] => [
    ['POST', '/features', { key: 'by_role', name: 'n' }],
    ['GET', '/features'],
    ['GET', `/features/${id}`],
    ['PATCH', `/features/${id}`, { unit_cost: null }],
    ['DELETE', `/features/${id}`],
  ];

  test('401 without a token, 403 for what the role does not include', async () => {
    const feature = await createFeature(backend, 'roles');
    for (const [method, path, body] of operations(feature.id)) {
      const as = (token: string | null) =>
        backend.request(method, path, { token, ...(body !== undefined && { body }) });
      expect((await as(null)).status).toBe(401);
      expect((await as(TOKENS.ingest)).status).toBe(403);
      expect((await as(TOKENS.viewer)).status).toBe(method === 'GET' ? 200 : 403);
    }
    expect((await get(feature.id)).json).toEqual(feature);
  });

  test('404 for an unknown id, and for what is no id', async () => {
    await createFeature(backend, 'by_key');
    for (const id of [UNKNOWN_ID, 'by_key', UNKNOWN_ID.toLowerCase()]) {
      expect((await get(id)).status).toBe(404);
      expect((await patch(id, { unit_cost: null })).status).toBe(404);
      expect((await remove(id)).status).toBe(404);
    }
  });
});
