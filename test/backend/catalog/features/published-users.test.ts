import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createFeature } from '../../../support/catalog/features.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const post = async (path: string, body?: unknown): Promise<Json> => {
  const answer = await backend.request('POST', path, body === undefined ? {} : { body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
};
const remove = (feature: Json) => backend.request('DELETE', `/features/${feature.id}`);
const cardOf = ({ id, key }: Json) => ({
  key,
  name: key,
  feature: { id },
  billing_cadence: 'P1M',
  price: { type: 'free' },
  entitlement: { type: 'boolean' },
});
const planWith = (key: string, feature: Json) => ({
  key,
  name: key,
  currency: 'USD',
  billing_cadence: 'P1M',
  phases: [{ key: 'default', name: 'Default', rate_cards: [cardOf(feature)] }],
});

test('403: a published plan keeps its features, a draft does not, and an archived one frees them', async () => {
  const feature = await createFeature(backend, 'in_plan');
  const next = await createFeature(backend, 'in_draft');
  const plan = await post('/plans', planWith('keeps', feature));
  await post(`/plans/${plan.id}/publish`);
  await post('/plans', planWith('keeps', next));
  expect(await remove(feature)).toMatchObject({
    status: 403,
    json: { detail: 'feature "in_plan" cannot be archived: in use by published plan "keeps" version 1' },
  });
  expect((await backend.request('GET', `/features/${feature.id}`)).json).toEqual(feature);
  expect((await remove(next)).status).toBe(204);
  await post(`/plans/${plan.id}/archive`);
  expect((await remove(feature)).status).toBe(204);
});

test('403: so does a published add-on', async () => {
  const feature = await createFeature(backend, 'in_addon');
  const addon = await post('/addons', {
    key: 'keeps',
    name: 'keeps',
    instance_type: 'single',
    currency: 'USD',
    rate_cards: [cardOf(feature)],
  });
  await post(`/addons/${addon.id}/publish`);
  expect(await remove(feature)).toMatchObject({
    status: 403,
    json: { detail: expect.stringContaining('add-on "keeps" version 1') },
  });
  await post(`/addons/${addon.id}/archive`);
  expect((await remove(feature)).status).toBe(204);
});
