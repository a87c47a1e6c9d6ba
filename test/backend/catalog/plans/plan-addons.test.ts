import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codes, issues, type Json, refused, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { callsOf, feeCard, phase } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
let single: Json;
let multiple: Json;
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
  single = await calls.publishAddon('single');
  multiple = await calls.publishAddon('multiple', { instance_type: 'multiple' });
});
afterAll(() => backend.close());

const assignment = (addon: Json, fields: Json = {}) => ({
  name: 'Support',
  addon: { id: addon.id },
  from_plan_phase: 'default',
  ...fields,
});
const CHANGE = { name: 'Changed', from_plan_phase: 'default' };

async function planWith(key: string, addon: Json) {
  const plan = await calls.createPlan(key);
  const planAddon = await calls.ok('POST', `/plans/${plan.id}/addons`, assignment(addon));
  return { plan, planAddon, path: `/plans/${plan.id}/addons/${planAddon.id}` };
}

describe('POST /plans/{planId}/addons', () => {
  test('201: answers what was sent, with id and times, and only that', async () => {
    const plan = await calls.createPlan('create', {
      phases: [phase([feeCard()], { key: 'trial', duration: 'P1M' }), phase([feeCard()])],
    });
    const body = assignment(multiple, { description: 'Help', labels: { a: 'b' }, max_quantity: 3 });
    const json = await calls.ok('POST', `/plans/${plan.id}/addons`, body);
    const at = '2026-11-21T12:00:00Z';
    expect(json).toEqual({ ...body, id: expect.any(String), created_at: at, updated_at: at });
    expect(await calls.ok('GET', `/plans/${plan.id}/addons/${json.id}`)).toEqual(json);
    expect((await calls.ok('POST', `/plans/${plan.id}/publish`)).status).toBe('active');
  });

  test('201: what does not fit yet is listed', async () => {
    const plan = await calls.createPlan('does_not_fit');
    const body = assignment(single, { from_plan_phase: 'later', max_quantity: 2 });
    const json = await calls.ok('POST', `/plans/${plan.id}/addons`, body);
    expect(issues(json)).toEqual([
      'plan_addon_max_quantity_must_not_be_set max_quantity',
      'plan_addon_unknown_plan_phase_key from_plan_phase',
    ]);
    expect(issues(await calls.ok('GET', `/plans/${plan.id}`))).toEqual(['plan_has_incompatible_addon addons.single']);
  });

  test.each([
    [{ max_quantity: 0 }, 'max_quantity min'],
    [{ max_quantity: 1.5 }, 'max_quantity type'],
    [{ addon: undefined }, 'addon required'],
    [{ addon: { id: 'x' } }, 'addon.id matches_regex'],
    [{ from_plan_phase: undefined }, 'from_plan_phase required'],
    [{ quantity: 1 }, 'quantity unknown_property'],
  ])('400: %j', async (fields, expected) => {
    const answer = await calls.call('POST', `/plans/${UNKNOWN_ID}/addons`, assignment(single, fields));
    expect(answer.status).toBe(400);
    expect(refused(answer)[0]).toBe(expected);
  });

  test('400: an add-on that is not active, a plan that is published', async () => {
    const plan = await calls.createPlan('create_status');
    const draft = await calls.createAddon('create_status');
    const path = `/plans/${plan.id}/addons`;
    expect(codes(await calls.call('POST', path, assignment(draft)))).toEqual(['plan_addon_incompatible_status']);
    await calls.ok('POST', `/plans/${plan.id}/publish`);
    const answer = await calls.call('POST', path, assignment(single));
    expect([answer.status, codes(answer)]).toEqual([400, ['plan_invalid_status']]);
  });

  test('404 for the plan and for the add-on; 409 for a second time', async () => {
    const plan = await calls.createPlan('create_refused');
    const path = `/plans/${plan.id}/addons`;
    expect((await calls.call('POST', `/plans/${UNKNOWN_ID}/addons`, assignment(single))).status).toBe(404);
    expect((await calls.call('POST', path, assignment({ id: UNKNOWN_ID }))).status).toBe(404);
    const { id } = await calls.ok('POST', path, assignment(single));
    expect((await calls.call('POST', path, assignment(single))).status).toBe(409);
    await calls.ok('DELETE', `${path}/${id}`);
    await calls.ok('POST', path, assignment(single));
  });
});

describe('GET /plans/{planId}/addons', () => {
  test('200: pages, oldest first, without deleted ones', async () => {
    const { plan, path } = await planWith('list', single);
    backend.clock.advanceMs(1000);
    const second = await calls.ok('POST', `/plans/${plan.id}/addons`, assignment(multiple));
    const list = (query: string) => calls.ok('GET', `/plans/${plan.id}/addons${query}`);
    expect(await list('?page[size]=1&page[number]=2')).toEqual({
      data: [second],
      meta: { page: { number: 2, size: 1, total: 2 } },
    });
    await calls.ok('DELETE', path);
    expect(await list('')).toEqual({ data: [second], meta: { page: { number: 1, size: 20, total: 1 } } });
  });

  test('400 and 404', async () => {
    expect((await calls.call('GET', `/plans/${UNKNOWN_ID}/addons`)).status).toBe(404);
    expect((await calls.call('GET', `/plans/${UNKNOWN_ID}/addons?page[size]=0`)).status).toBe(400);
  });
});

describe('GET, PUT and DELETE /plans/{planId}/addons/{planAddonId}', () => {
  test('200: PUT replaces all but the add-on', async () => {
    const { planAddon, path } = await planWith('put', multiple);
    backend.clock.advanceMs(1000);
    const json = await calls.ok('PUT', path, { ...CHANGE, max_quantity: 9 });
    expect(json).toEqual({ ...planAddon, ...CHANGE, max_quantity: 9, updated_at: json.updated_at });
    expect(await calls.ok('PUT', path, CHANGE)).not.toHaveProperty('max_quantity');
  });

  test('400: PUT of what does not fit', async () => {
    const { planAddon, path } = await planWith('put_does_not_fit', single);
    const answer = await calls.call('PUT', path, { ...CHANGE, max_quantity: 1 });
    expect([answer.status, codes(answer)]).toEqual([400, ['plan_addon_max_quantity_must_not_be_set']]);
    expect(refused(await calls.call('PUT', path, { ...CHANGE, addon: { id: multiple.id } }))).toEqual([
      'addon unknown_property',
    ]);
    expect(await calls.ok('GET', path)).toEqual(planAddon);
  });

  test('204: DELETE, and a second time', async () => {
    const { path } = await planWith('delete', single);
    await calls.ok('DELETE', path);
    await calls.ok('DELETE', path);
    expect(await calls.ok('GET', path)).toHaveProperty('deleted_at');
    expect((await calls.call('PUT', path, CHANGE)).status).toBe(404);
  });

  test('400: once the plan is published, its add-ons are settled', async () => {
    const { plan, planAddon, path } = await planWith('settled', single);
    await calls.ok('POST', `/plans/${plan.id}/publish`);
    expect(codes(await calls.call('PUT', path, CHANGE))).toEqual(['plan_invalid_status']);
    const answer = await calls.call('DELETE', path);
    expect([answer.status, codes(answer)]).toEqual([400, ['plan_invalid_status']]);
    expect(await calls.ok('GET', path)).toEqual(planAddon);
  });

  test('404: an unknown one, one of another plan', async () => {
    const { path } = await planWith('one', single);
    const { plan } = await planWith('other', single);
    for (const wrong of [`/plans/${plan.id}/addons/${UNKNOWN_ID}`, path.replace(/\/plans\/\w+/, `/plans/${plan.id}`)]) {
      for (const [method, body] of [['GET'], ['PUT', CHANGE], ['DELETE']] as [string, Json?][]) {
        expect((await calls.call(method, wrong, body)).status).toBe(404);
      }
    }
  });
});

test('the next version of a plan offers the same add-ons', async () => {
  const { plan, planAddon } = await planWith('next', multiple);
  await calls.ok('POST', `/plans/${plan.id}/publish`);
  const next = (await calls.call('POST', `/plans/${plan.id}/next`)).json;
  const { data } = await calls.ok('GET', `/plans/${next.id}/addons`);
  expect(data).toMatchObject([{ addon: { id: multiple.id }, name: planAddon.name, from_plan_phase: 'default' }]);
  expect(data[0].id).not.toBe(planAddon.id);
  await calls.ok('DELETE', `/plans/${next.id}/addons/${data[0].id}`);
  expect((await calls.ok('GET', `/plans/${plan.id}/addons`)).data).toEqual([planAddon]);
});
