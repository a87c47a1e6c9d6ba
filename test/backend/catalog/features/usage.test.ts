import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFeatures, type Feature, type Features } from '../../../../backend/catalog/features/index.ts';
import { createCustomers } from '../../../../backend/customers/customers/index.ts';
import type { ControlDb } from '../../../../backend/platform/db/control-db.ts';
import { DomainProblem } from '../../../../backend/platform/errors.ts';
import type { Scope } from '../../../../backend/platform/scope.ts';
import { type Json, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createFeature, createMeter } from '../../../support/catalog/features.ts';
import { openControlPlane } from '../../../support/control-engine.ts';
import { testScope } from '../../../support/scope.ts';

let backend: TestBackend;
let db: ControlDb;
let scope: Scope;
let features: Features;
let meter: Json;
let customer: Json;
const DAY = { fromMs: Date.parse('2026-11-20T00:00:00Z'), toMs: Date.parse('2026-11-21T00:00:00Z') };

beforeAll(async () => {
  backend = await createTestBackend();
  const { clock, usage, dataDir } = backend;
  db = await openControlPlane(dataDir);
  scope = testScope(db, clock);
  const customers = createCustomers({ scope });
  features = createFeatures({
    scope,
    usage,
    findSubjects: customers.findByIds,
    users: {
      blocksArchiving: async (feature) =>
        feature.key === 'kept' ? new DomainProblem('unauthorized', 'a plan needs it') : undefined,
    },
  });
  meter = await createMeter(backend, 'used', { dimensions: { route: '$.route', model: '$.model' } });
  const answer = await backend.request('POST', '/customers', {
    body: { key: 'acme', name: 'Acme', usage_attribution: { subject_keys: ['alice', 'bob'] } },
  });
  customer = answer.json;
  const event = (subject: string, value: string, route: string, model: string, time = '2026-11-20T10:00:00Z') => ({
    specversion: '1.0',
    id: `${subject}-${value}`,
    source: 'test',
    type: 'used',
    subject,
    time,
    data: { value, route, model },
  });
  const body = [
    event('alice', '1', 'chat', 'large'),
    event('alice', '2.5', 'chat', 'small'),
    event('bob', '4', 'chat', 'large-2'),
    event('bob', '8', 'embed', 'large'),
    event('carol', '16', 'chat', 'large'),
    event('alice', '32', 'chat', 'large', '2026-11-21T00:00:00Z'),
    event('alice', '64', 'chat', 'large', '2026-11-19T23:59:59.999Z'),
  ];
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  expect((await backend.request('POST', '/events', { rawBody: JSON.stringify(body), headers })).status).toBe(202);
});
afterAll(async () => {
  await db.close();
  await backend.close();
});

const on = (filters: Record<string, unknown> | undefined) => ({ meter: { id: meter.id, ...(filters && { filters }) } });
let count = 0;
const ofCustomer = async (feature: Feature, customerId: string) =>
  (await features.usage.measure(customerId, [{ feature, period: DAY }]))[0]?.value;
const usedOf = async (filters?: Record<string, unknown>) => {
  const feature: Feature = await createFeature(backend, `used_${count++}`, on(filters));
  return ofCustomer(feature, customer.id);
};

describe('usage of a customer', () => {
  test('adds up all its subjects, within the half-open period, and nobody else', async () => {
    expect(await usedOf()).toBe('15.5');
  });

  test.each([
    ['7.5', { route: { eq: 'chat' } }],
    ['8', { route: { neq: 'chat' } }],
    ['15.5', { route: { in: ['chat', 'embed'] } }],
    ['8', { route: { nin: ['chat'] } }],
    ['13', { model: { contains: 'large' } }],
    ['2.5', { model: { ncontains: 'large' } }],
    ['15.5', { model: { exists: true } }],
    ['5', { route: { eq: 'chat' }, model: { contains: 'large' } }],
    ['11.5', { model: { or: [{ eq: 'small' }, { eq: 'large' }] } }],
    ['4', { model: { and: [{ contains: 'large' }, { neq: 'large' }] } }],
    ['6.5', { model: { or: [{ eq: 'small' }, { and: [{ contains: 'large' }, { contains: '-2' }] }] } }],
    ['0', { route: { eq: 'nothing' } }],
  ])('%s with %j', async (expected, filters) => {
    expect(await usedOf(filters)).toBe(expected);
  });

  test('of an unknown customer: nothing', async () => {
    const feature = await createFeature(backend, 'unknown_customer', on(undefined));
    expect(await ofCustomer(feature, UNKNOWN_ID)).toBe('0');
  });

  test('a static feature has none', async () => {
    const feature = await createFeature(backend, 'static');
    await expect(ofCustomer(feature, customer.id)).rejects.toThrow('is static');
  });
});

test('a query’s filter of the same dimension narrows the feature’s, never replaces it', async () => {
  const feature = await createFeature(backend, 'narrowed', on({ model: { contains: 'large' } }));
  const query = async (filters: Record<string, Json>) => {
    const [rows] = await features.usage.query([{ feature, scope: { ...DAY, groupBySubject: true, filters } }]);
    return Object.fromEntries((rows ?? []).map(({ subject, value }) => [subject, value]));
  };
  expect(await query({})).toEqual({ alice: '1', bob: '12', carol: '16' });
  expect(await query({ model: { eq: 'large' } })).toEqual({ alice: '1', bob: '8', carol: '16' });
  expect(await query({ model: { eq: 'small' } })).toEqual({});
  expect(await query({ route: { eq: 'embed' } })).toEqual({ bob: '8' });
});

test('an archived feature counts as before, also without its dimension and its meter', async () => {
  const other = await createMeter(backend, 'shrinking', { event_type: 'used', dimensions: { route: '$.route' } });
  const feature = await createFeature(backend, 'archived', {
    meter: { id: other.id, filters: { route: { eq: 'embed' } } },
  });
  const archived = async () => {
    const found = (await features.findByIds([feature.id], scope)).get(feature.id);
    return found && ofCustomer(found, customer.id);
  };
  expect(await archived()).toBe('8');
  const drop = () => backend.request('PUT', `/meters/${other.id}`, { body: { dimensions: {} } });
  expect((await drop()).status).toBe(409);
  expect((await backend.request('DELETE', `/features/${feature.id}`)).status).toBe(204);
  expect((await drop()).status).toBe(200);
  expect(await archived()).toBe('8');
  expect((await backend.request('DELETE', `/meters/${other.id}`)).status).toBe(204);
  expect(await archived()).toBe('8');
});

describe('what keeps what', () => {
  test('409: the meter of a living feature is not deleted', async () => {
    const own = await createMeter(backend, 'kept_meter');
    const feature = await createFeature(backend, 'on_kept', { meter: { id: own.id } });
    expect(await backend.request('DELETE', `/meters/${own.id}`)).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('"on_kept"'), extensions: { features: [{ id: feature.id }] } },
    });
    expect((await backend.request('GET', `/meters/${own.id}`)).json).toEqual(own);
    await backend.request('DELETE', `/features/${feature.id}`);
    expect((await backend.request('DELETE', `/meters/${own.id}`)).status).toBe(204);
  });

  test('409: dimensions that filters or an LLM cost read are not dropped; others are', async () => {
    const own = await createMeter(backend, 'narrow');
    await createFeature(backend, 'on_narrow', {
      meter: { id: own.id, filters: { route: { eq: 'x' } } },
      unit_cost: { type: 'llm', provider: 'p', model_property: 'model', token_type: 'input' },
    });
    const change = (...names: string[]) =>
      backend.request('PUT', `/meters/${own.id}`, {
        body: { dimensions: Object.fromEntries(names.map((name) => [name, `$.${name}`])) },
      });
    expect(await change('model', 'provider')).toMatchObject({
      status: 409,
      json: { detail: 'meter "narrow" cannot drop the dimension "route": it is used by feature "on_narrow"' },
    });
    expect((await change('route')).status).toBe(409);
    expect((await change('route', 'model', 'other')).status).toBe(200);
  });

  test('a module above can keep a feature', async () => {
    const feature = await createFeature(backend, 'kept');
    await expect(features.archive(feature.id)).rejects.toThrow('a plan needs it');
    expect((await backend.request('GET', `/features/${feature.id}`)).json).toEqual(feature);
  });
});

test('found by ids and keys: archived ones too, of one key the living one, else the last', async () => {
  const first = await createFeature(backend, 'again');
  await backend.request('DELETE', `/features/${first.id}`);
  backend.clock.advanceMs(1000);
  const second = await createFeature(backend, 'again');
  expect((await features.findByKeys(['again', 'missing'], scope)).get('again')).toEqual(second);
  await backend.request('DELETE', `/features/${second.id}`);
  const found = await features.findByKeys(['again', 'missing'], scope);
  expect([...found.keys()]).toEqual(['again']);
  expect(found.get('again')).toMatchObject({ id: second.id, deleted_at: expect.any(String) });
  const byId = await scope.transaction((own) => features.findByIds([first.id, UNKNOWN_ID, first.id], own));
  expect([...byId.keys()]).toEqual([first.id]);
});
