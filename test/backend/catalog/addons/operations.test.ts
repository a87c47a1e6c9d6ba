import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codes, issues, type Json, refused, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { addonBody, callsOf, feeCard } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend();
  calls = callsOf(backend);
});
afterAll(() => backend.close());

const CHANGE = { name: 'New', instance_type: 'multiple', rate_cards: [feeCard({ payment_term: 'in_arrears' })] };

describe('POST /addons', () => {
  test('201: answers what was sent, with id, version, status and times, and only that', async () => {
    const rate_cards = [feeCard({ payment_term: 'in_advance', labels: { a: 'b' } })];
    const body = addonBody('full', {
      description: 'More',
      labels: { env: 'test' },
      instance_type: 'multiple',
      rate_cards,
    });
    const json = await calls.ok('POST', '/addons', body);
    const at = '2026-11-21T12:00:00Z';
    const id = expect.any(String);
    expect(json).toEqual({ ...body, id, version: 1, status: 'draft', created_at: at, updated_at: at });
    expect(await calls.ok('GET', `/addons/${json.id}`)).toEqual(json);
  });

  test('201: an incomplete draft says what it lacks', async () => {
    expect(issues(await calls.createAddon('incomplete', { rate_cards: [] }))).toEqual([
      'addon_has_no_rate_cards rate_cards',
    ]);
  });

  test('201: a known key is the next version, but for a second draft: 400', async () => {
    await calls.publishAddon('versions');
    expect((await calls.createAddon('versions')).version).toBe(2);
    const third = await calls.call('POST', '/addons', addonBody('versions'));
    expect([third.status, codes(third)]).toEqual([400, ['only_a_single_draft_version_allowed']]);
  });

  test('an add-on and a plan may have one key', async () => {
    await calls.createPlan('shared');
    expect((await calls.createAddon('shared')).version).toBe(1);
  });

  test.each([
    [{ instance_type: 'many' }, 'instance_type enum'],
    [{ rate_cards: undefined }, 'rate_cards required'],
    [{ name: '' }, 'name min_length'],
    [{ key: '' }, 'key min_length'],
    [{ phases: [] }, 'phases unknown_property'],
  ])('400: %j', async (fields, expected) => {
    const answer = await calls.call('POST', '/addons', addonBody('refused', fields));
    expect(answer.status).toBe(400);
    expect(refused(answer)[0]).toBe(expected);
  });

  test('400: critical issues', async () => {
    const rate_cards = [feeCard(), feeCard({ feature: { id: UNKNOWN_ID } })];
    const answer = await calls.call('POST', '/addons', addonBody('critical', { rate_cards }));
    expect([answer.status, codes(answer)]).toEqual([400, ['rate_card_duplicated_key', 'rate_card_feature_not_found']]);
  });
});

describe('GET, PUT and DELETE /addons/{addonId}', () => {
  test('404', async () => {
    for (const [method, body] of [['GET'], ['PUT', CHANGE], ['DELETE']] as [string, Json?][]) {
      expect((await calls.call(method, `/addons/${UNKNOWN_ID}`, body)).status).toBe(404);
    }
  });

  test('200: PUT replaces all but key and currency', async () => {
    const addon = await calls.createAddon('put', { description: 'old', labels: { a: 'b' } });
    backend.clock.advanceMs(1000);
    const json = await calls.ok('PUT', `/addons/${addon.id}`, CHANGE);
    const { description, labels, ...kept } = addon;
    expect(json).toEqual({ ...kept, ...CHANGE, updated_at: json.updated_at });
    expect(json.updated_at).not.toBe(addon.updated_at);
    expect(await calls.ok('GET', `/addons/${addon.id}`)).toEqual(json);
  });

  test('400: what was chosen once cannot be sent; a published version never changes', async () => {
    const addon = await calls.publishAddon('put_published');
    expect(
      refused(await calls.call('PUT', `/addons/${addon.id}`, { ...CHANGE, key: 'other', currency: 'EUR' })),
    ).toEqual(['key unknown_property', 'currency unknown_property']);
    const answer = await calls.call('PUT', `/addons/${addon.id}`, CHANGE);
    expect([answer.status, codes(answer)]).toEqual([400, ['addon_invalid_status']]);
    expect(await calls.ok('GET', `/addons/${addon.id}`)).toEqual(addon);
  });

  test('410: PUT of a deleted one', async () => {
    const { id } = await calls.createAddon('put_deleted');
    await calls.ok('DELETE', `/addons/${id}`);
    expect((await calls.call('PUT', `/addons/${id}`, CHANGE)).status).toBe(410);
    expect(await calls.ok('GET', `/addons/${id}`)).toHaveProperty('deleted_at');
  });

  test('204: a draft, an archived version, a second time; 400: an active one', async () => {
    const addon = await calls.publishAddon('delete');
    const draft = await calls.createAddon('delete');
    await calls.ok('DELETE', `/addons/${draft.id}`);
    await calls.ok('DELETE', `/addons/${draft.id}`);
    const whenActive = await calls.call('DELETE', `/addons/${addon.id}`);
    expect([whenActive.status, codes(whenActive)]).toEqual([400, ['addon_invalid_status']]);
    await calls.ok('POST', `/addons/${addon.id}/archive`);
    await calls.ok('DELETE', `/addons/${addon.id}`);
  });

  test('400: DELETE of one that a living plan offers', async () => {
    const plan = await calls.createPlan('offers');
    const addon = await calls.publishAddon('offered');
    await calls.ok('POST', `/plans/${plan.id}/addons`, {
      name: 'A',
      addon: { id: addon.id },
      from_plan_phase: 'default',
    });
    await calls.ok('POST', `/addons/${addon.id}/archive`);
    const answer = await calls.call('DELETE', `/addons/${addon.id}`);
    expect([answer.status, answer.json.detail]).toEqual([
      400,
      `add-on ${addon.id} cannot be deleted: 1 plans offer it`,
    ]);
    await calls.ok('DELETE', `/plans/${plan.id}`);
    await calls.ok('DELETE', `/addons/${addon.id}`);
  });
});

describe('POST /addons/{addonId}/publish, archive and next', () => {
  test('200: publishing archives the version before at the same instant', async () => {
    const first = await calls.publishAddon('publish');
    backend.clock.advanceMs(1000);
    const second = await calls.publishAddon('publish');
    expect(second).toMatchObject({ status: 'active', version: 2, effective_from: second.updated_at });
    expect(await calls.ok('GET', `/addons/${first.id}`)).toMatchObject({
      status: 'archived',
      effective_to: second.effective_from,
    });
  });

  test('400: publishing what is incomplete or published', async () => {
    const draft = await calls.createAddon('publish_incomplete', { rate_cards: [] });
    const answer = await calls.call('POST', `/addons/${draft.id}/publish`);
    expect([answer.status, codes(answer)]).toEqual([400, ['addon_has_no_rate_cards']]);
    const active = await calls.publishAddon('publish_twice');
    expect(codes(await calls.call('POST', `/addons/${active.id}/publish`))).toEqual([
      'addon_invalid_status_for_publish',
    ]);
  });

  test('200 and 400: archiving', async () => {
    const draft = await calls.createAddon('archive');
    expect(codes(await calls.call('POST', `/addons/${draft.id}/archive`))).toEqual(['addon_invalid_status']);
    await calls.ok('POST', `/addons/${draft.id}/publish`);
    backend.clock.advanceMs(1000);
    const archived = await calls.ok('POST', `/addons/${draft.id}/archive`);
    expect(archived).toMatchObject({ status: 'archived', effective_to: archived.updated_at });
    expect((await calls.call('POST', `/addons/${draft.id}/archive`)).status).toBe(400);
  });

  test('201 and 409: next', async () => {
    const first = await calls.publishAddon('next');
    const { status, json } = await calls.call('POST', `/addons/${first.id}/next`);
    expect([status, json.version, json.status, json.rate_cards]).toEqual([201, 2, 'draft', first.rate_cards]);
    expect((await calls.call('POST', `/addons/${first.id}/next`)).status).toBe(409);
  });

  test('404', async () => {
    for (const step of ['publish', 'archive', 'next']) {
      expect((await calls.call('POST', `/addons/${UNKNOWN_ID}/${step}`)).status).toBe(404);
    }
  });
});
