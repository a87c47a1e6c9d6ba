import { expect } from 'vitest';
import type { Json } from '../answers.ts';
import { createTestBackend, type TestBackend } from '../backend.ts';
import { type Catalog, createCatalog } from '../catalog/features.ts';
import { feeCard, planBody } from '../catalog/plans.ts';

/** A backend with features, and short ways to what tests of subscriptions need. */
export interface Shop {
  backend: TestBackend;
  catalog: Catalog;
  /** Key and name are made up. */
  customer(fields?: Json): Promise<Json>;
  /** A published plan. @param fields of the create request */
  plan(key: string, fields?: Json): Promise<Json>;
  /** A published add-on. */
  addon(key: string, fields?: Json): Promise<Json>;
  /** A published plan with these add-ons: `[add-on, fields of the assignment]`. */
  planWithAddons(key: string, addons: readonly [Json, Json?][], fields?: Json): Promise<Json>;
  /** Asks and expects success; answers what came. */
  ok(method: string, path: string, body?: unknown): Promise<Json>;
  /** Asks and expects a problem; answers status and problem. */
  refused(method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }>;
  subscribe(customer: Json, plan: Json, fields?: Json): Promise<Json>;
  close(): Promise<void>;
}

export async function openShop(start: string): Promise<Shop> {
  const backend = await createTestBackend({ start });
  const catalog = await createCatalog(backend);
  let customers = 0;
  const ask = (method: string, path: string, body?: unknown) =>
    backend.request(method, path, body === undefined ? {} : { body });
  const ok: Shop['ok'] = async (method, path, body) => {
    const answer = await ask(method, path, body);
    expect({ path, status: answer.status, problem: answer.status < 400 ? '' : answer.text }).toMatchObject({
      status: expect.toSatisfy((status: number) => status < 300),
      problem: '',
    });
    return answer.json;
  };
  const publish = async (kind: string, body: Json, between?: (draft: Json) => Promise<void>) => {
    const draft = await ok('POST', `/${kind}`, body);
    await between?.(draft);
    return ok('POST', `/${kind}/${draft.id}/publish`);
  };
  return {
    backend,
    catalog,
    customer: (fields = {}) => {
      const key = `customer-${customers++}`;
      return ok('POST', '/customers', { key, name: key, ...fields });
    },
    plan: (key, fields = {}) => publish('plans', planBody(key, fields)),
    addon: (key, fields = {}) =>
      publish('addons', {
        key,
        name: key,
        currency: 'USD',
        instance_type: 'multiple',
        rate_cards: [feeCard({ key: 'support', name: 'Support', price: { type: 'flat', amount: '3' } })],
        ...fields,
      }),
    planWithAddons: (key, addons, fields = {}) =>
      publish('plans', planBody(key, fields), async (draft) => {
        for (const [addon, assignment] of addons) {
          const body = { name: addon.name, addon: { id: addon.id }, from_plan_phase: 'default', ...assignment };
          await ok('POST', `/plans/${draft.id}/addons`, body);
        }
      }),
    ok,
    refused: async (method, path, body) => {
      const { status, json, text } = await ask(method, path, body);
      expect({ status, text }).toMatchObject({ status: expect.toSatisfy((code: number) => code >= 400) });
      return { status, json };
    },
    subscribe: (customer, plan, fields = {}) =>
      ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { id: plan.id }, ...fields }),
    close: () => backend.close(),
  };
}

/** Periods as text, to be compared at a glance. */
export const spans = (list: readonly { active_from: string; active_to?: string }[]) =>
  list.map(({ active_from, active_to }) => `${active_from}..${active_to ?? ''}`);
