import { expect } from 'vitest';
import type { Json } from '../answers.ts';
import type { TestBackend } from '../backend.ts';
import type { Catalog } from './features.ts';

/** A fee each month, without a feature. */
export const feeCard = (fields: Json = {}): Json => ({
  name: 'Fee',
  key: 'fee',
  billing_cadence: 'P1M',
  price: { type: 'flat', amount: '10' },
  ...fields,
});

/** A cent for each request. */
export const usageCard = (catalog: Catalog, fields: Json = {}): Json => ({
  name: 'Requests',
  key: 'requests',
  feature: { id: catalog.requests.id },
  billing_cadence: 'P1M',
  price: { type: 'unit', amount: '0.01' },
  ...fields,
});

export const phase = (rate_cards: Json[], fields: Json = {}): Json => ({
  name: 'Default',
  key: 'default',
  rate_cards,
  ...fields,
});

/** A plan that can be published. */
export const planBody = (key: string, fields: Json = {}): Json => ({
  key,
  name: key,
  currency: 'USD',
  billing_cadence: 'P1M',
  phases: [phase([feeCard()])],
  ...fields,
});

/** An add-on that can be published. */
export const addonBody = (key: string, fields: Json = {}): Json => ({
  key,
  name: key,
  currency: 'USD',
  instance_type: 'single',
  rate_cards: [feeCard({ key: 'support', name: 'Support' })],
  ...fields,
});

/** Answers that must succeed; what they carry. */
export function callsOf(backend: TestBackend) {
  const call = (method: string, path: string, body?: unknown) =>
    backend.request(method, path, body === undefined ? {} : { body });
  const ok = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await call(method, path, body);
    expect({ path, status: answer.status, problem: answer.status < 400 ? '' : answer.text }).toEqual({
      path,
      status: { POST: body === undefined ? 200 : 201, GET: 200, PUT: 200, DELETE: 204 }[method],
      problem: '',
    });
    return answer.json;
  };
  const createPlan = (key: string, fields: Json = {}) => ok('POST', '/plans', planBody(key, fields));
  const createAddon = (key: string, fields: Json = {}) => ok('POST', '/addons', addonBody(key, fields));
  return {
    call,
    ok,
    createPlan,
    createAddon,
    publishPlan: async (key: string, fields: Json = {}) =>
      ok('POST', `/plans/${(await createPlan(key, fields)).id}/publish`),
    publishAddon: async (key: string, fields: Json = {}) =>
      ok('POST', `/addons/${(await createAddon(key, fields)).id}/publish`),
  };
}
