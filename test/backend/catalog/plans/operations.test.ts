import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codes, issues, type Json, refused, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { type Catalog, createCatalog } from '../../../support/catalog/features.ts';
import { callsOf, feeCard, phase, planBody, usageCard } from '../../../support/catalog/plans.ts';

let backend: TestBackend;
let catalog: Catalog;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  backend = await createTestBackend();
  catalog = await createCatalog(backend);
  calls = callsOf(backend);
});
afterAll(() => backend.close());

const INCOMPLETE = { phases: [phase([])] };

describe('POST /plans', () => {
  test('201: answers what was sent, with id, version, status and times, and only that', async () => {
    const body = planBody('full', {
      name: 'Full',
      description: 'Everything',
      labels: { env: 'test' },
      pro_rating_enabled: false,
      phases: [
        phase([feeCard({ price: { type: 'free' }, payment_term: 'in_arrears' })], {
          key: 'trial',
          name: 'Trial',
          description: 'Free of charge',
          labels: { kind: 'trial' },
          duration: 'P1M',
        }),
        phase([
          feeCard({ description: 'Each month', labels: { a: 'b' }, payment_term: 'in_advance' }),
          usageCard(catalog, {
            payment_term: 'in_arrears',
            price: {
              type: 'graduated',
              tiers: [
                { up_to_amount: '1000', flat_price: { type: 'flat', amount: '5' } },
                { unit_price: { type: 'unit', amount: '0.0001' } },
              ],
            },
            commitments: { minimum_amount: '10', maximum_amount: '500' },
            discounts: { percentage: 12.5, usage: '100' },
            entitlement: { type: 'metered', limit: 5000, is_soft_limit: true, usage_period: 'P1D' },
          }),
        ]),
      ],
    });
    const json = await calls.ok('POST', '/plans', body);
    const at = '2026-11-21T12:00:00Z';
    expect(json).toEqual({
      ...body,
      id: expect.any(String),
      version: 1,
      status: 'draft',
      settlement_mode: 'credit_then_invoice',
      created_at: at,
      updated_at: at,
    });
    expect(await calls.ok('GET', `/plans/${json.id}`)).toEqual(json);
  });

  test('201: what is left out gets its default', async () => {
    const json = await calls.createPlan('defaults');
    expect(json.pro_rating_enabled).toBe(true);
    expect(json.phases[0].rate_cards[0].payment_term).toBe('in_arrears');
    expect(json).not.toHaveProperty('validation_errors');
    expect(json).not.toHaveProperty('effective_from');
  });

  test('201: an incomplete draft says what it lacks', async () => {
    const json = await calls.createPlan('incomplete', INCOMPLETE);
    expect(json.validation_errors).toEqual([
      {
        code: 'plan_phase_has_no_rate_cards',
        field: 'phases.0.rate_cards',
        message: 'phases.0.rate_cards: a phase needs at least one rate card',
      },
    ]);
    expect(issues(await calls.ok('GET', `/plans/${json.id}`))).toEqual(issues(json));
    const { data } = await calls.ok('GET', '/plans?filter[key]=incomplete');
    expect(issues(data[0])).toEqual(issues(json));
  });

  test('201: a known key is the next version, but for a second draft: 400', async () => {
    const first = await calls.publishPlan('versions');
    const second = await calls.createPlan('versions');
    expect([first.version, second.version]).toEqual([1, 2]);
    const third = await calls.call('POST', '/plans', planBody('versions'));
    expect(third.status).toBe(400);
    expect(third.json.extensions.validationErrors).toEqual([
      {
        code: 'only_a_single_draft_version_allowed',
        field: 'key',
        severity: 'critical',
        message: 'only a single draft version is allowed: version 2 of plan "versions" is one',
        attributes: { id: second.id, version: 2 },
      },
    ]);
    await calls.ok('DELETE', `/plans/${second.id}`);
    expect((await calls.createPlan('versions')).version).toBe(3);
  });

  test.each([
    [{ name: '' }, 'name min_length'],
    [{ key: 'Capital' }, 'key matches_regex'],
    [{ currency: 'usd' }, 'currency matches_regex'],
    [{ billing_cadence: 'monthly' }, 'billing_cadence matches_regex'],
    [{ phases: [] }, 'phases min_items'],
    [{ phases: undefined }, 'phases required'],
    [{ pro_rating_enabled: 'yes' }, 'pro_rating_enabled type'],
    [{ settlement_mode: 'credit_only' }, 'settlement_mode unknown_property'],
    [{ version: 2 }, 'version unknown_property'],
    [{ labels: { kong: 'x' } }, 'labels.kong is_label'],
    [{ phases: [phase([feeCard({ price: { type: 'flat' } })])] }, 'phases.0.rate_cards.0.price.amount required'],
    [{ phases: [phase([], { duration: 'P-1M' })] }, 'phases.0.duration matches_regex'],
  ])('400: %j', async (fields, expected) => {
    const answer = await calls.call('POST', '/plans', planBody('refused', fields));
    expect(answer.status).toBe(400);
    expect(refused(answer)).toEqual([expected]);
  });

  test('400: more than fits', async () => {
    const tiers = Array.from({ length: 1000 }, (_, index) => ({
      up_to_amount: `${index}.${'0'.repeat(60)}`,
      unit_price: { type: 'unit', amount: `1.${'0'.repeat(60)}` },
    }));
    const cards = Array.from({ length: 9 }, (_, index) =>
      feeCard({ key: `k${index}`, price: { type: 'volume', tiers } }),
    );
    const answer = await calls.call('POST', '/plans', planBody('large', { phases: [phase(cards)] }));
    expect([answer.status, refused(answer)]).toEqual([400, ['phases invalid']]);
  });

  test('400: critical issues are not even saved, and all are named', async () => {
    const phases = [phase([feeCard(), feeCard()]), phase([feeCard({ feature: { id: UNKNOWN_ID } })])];
    const answer = await calls.call('POST', '/plans', planBody('critical', { billing_cadence: 'P2M', phases }));
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual([
      'plan_billing_cadence_invalid',
      'plan_phase_duplicated_key',
      'rate_card_duplicated_key',
      'rate_card_feature_not_found',
    ]);
    expect(refused(answer)).toEqual([
      'billing_cadence invalid',
      'phases.1.key invalid',
      'phases.0.rate_cards.1.key invalid',
      'phases.1.rate_cards.0.feature invalid',
    ]);
    expect((await calls.ok('GET', '/plans?filter[key]=critical')).data).toEqual([]);
  });
});

describe('GET /plans/{planId}', () => {
  test('404 for an unknown id and for what is none', async () => {
    for (const id of [UNKNOWN_ID, 'nonsense']) {
      expect((await calls.call('GET', `/plans/${id}`)).status).toBe(404);
    }
  });
});

describe('PUT /plans/{planId}', () => {
  test('200: replaces all but key, currency and cadence', async () => {
    const plan = await calls.createPlan('put', { description: 'old', labels: { a: 'b' }, ...INCOMPLETE });
    backend.clock.advanceMs(1000);
    const phases = [phase([usageCard(catalog, { payment_term: 'in_arrears' })])];
    const json = await calls.ok('PUT', `/plans/${plan.id}`, { name: 'New', pro_rating_enabled: false, phases });
    const { description, labels, validation_errors, ...kept } = plan;
    const updated_at = new Date(backend.clock.nowMs()).toISOString().replace('.000Z', 'Z');
    expect(json).toEqual({ ...kept, name: 'New', pro_rating_enabled: false, phases, updated_at });
    expect(await calls.ok('GET', `/plans/${plan.id}`)).toEqual(json);
  });

  test('400: a critical issue leaves the draft as it was', async () => {
    const plan = await calls.createPlan('put_critical');
    const phases = [phase([feeCard(), feeCard()])];
    const answer = await calls.call('PUT', `/plans/${plan.id}`, { name: 'New', phases });
    expect([answer.status, codes(answer)]).toEqual([400, ['rate_card_duplicated_key']]);
    expect(await calls.ok('GET', `/plans/${plan.id}`)).toEqual(plan);
  });

  test('400: what was chosen once cannot be sent', async () => {
    const plan = await calls.createPlan('put_key');
    const answer = await calls.call('PUT', `/plans/${plan.id}`, planBody('put_key'));
    expect(answer.status).toBe(400);
    expect(refused(answer)).toEqual([
      'key unknown_property',
      'currency unknown_property',
      'billing_cadence unknown_property',
    ]);
  });

  test('400: a published version never changes', async () => {
    const plan = await calls.publishPlan('put_published');
    const change = { name: 'New', phases: [phase([feeCard({ price: { type: 'flat', amount: '1' } })])] };
    const whenActive = await calls.call('PUT', `/plans/${plan.id}`, change);
    expect([whenActive.status, codes(whenActive)]).toEqual([400, ['plan_invalid_status']]);
    expect(whenActive.json.detail).toBe(`plan ${plan.id} is active and cannot be updated; make a new version instead`);
    const archived = await calls.ok('POST', `/plans/${plan.id}/archive`);
    expect((await calls.call('PUT', `/plans/${plan.id}`, change)).status).toBe(400);
    expect(await calls.ok('GET', `/plans/${plan.id}`)).toEqual(archived);
  });

  test('404, and 410 once deleted', async () => {
    const change = { name: 'New', phases: [phase([feeCard()])] };
    expect((await calls.call('PUT', `/plans/${UNKNOWN_ID}`, change)).status).toBe(404);
    const plan = await calls.createPlan('put_deleted');
    await calls.ok('DELETE', `/plans/${plan.id}`);
    expect((await calls.call('PUT', `/plans/${plan.id}`, change)).status).toBe(410);
  });
});

describe('DELETE /plans/{planId}', () => {
  test('204: drafts and archived versions, and a second time; they stay readable', async () => {
    const draft = await calls.createPlan('delete_draft', INCOMPLETE);
    const archived = await calls.publishPlan('delete_archived');
    await calls.ok('POST', `/plans/${archived.id}/archive`);
    for (const { id } of [draft, archived]) {
      await calls.ok('DELETE', `/plans/${id}`);
      await calls.ok('DELETE', `/plans/${id}`);
      const read = await calls.ok('GET', `/plans/${id}`);
      expect(read).toHaveProperty('deleted_at');
      expect(read).not.toHaveProperty('validation_errors');
    }
    expect((await calls.ok('GET', '/plans?filter[key][contains]=delete_')).data).toEqual([]);
  });

  test('400: an active version', async () => {
    const plan = await calls.publishPlan('delete_active');
    const answer = await calls.call('DELETE', `/plans/${plan.id}`);
    expect([answer.status, codes(answer)]).toEqual([400, ['plan_invalid_status']]);
  });

  test('404', async () => {
    expect((await calls.call('DELETE', `/plans/${UNKNOWN_ID}`)).status).toBe(404);
  });
});

describe('POST /plans/{planId}/publish', () => {
  test('200: in force from now on; the version before is archived at the same instant', async () => {
    const first = await calls.publishPlan('publish');
    expect(first).toMatchObject({ status: 'active', effective_from: first.updated_at });
    expect(first).not.toHaveProperty('effective_to');
    backend.clock.advanceMs(60_000);
    const second = await calls.publishPlan('publish');
    expect(second).toMatchObject({ status: 'active', version: 2 });
    const before = await calls.ok('GET', `/plans/${first.id}`);
    expect(before).toEqual({
      ...first,
      status: 'archived',
      effective_to: second.effective_from,
      updated_at: second.updated_at,
    });
  });

  test('400 with all that is missing; nothing changes', async () => {
    const active = await calls.publishPlan('publish_incomplete');
    const draft = await calls.createPlan('publish_incomplete', { phases: [phase([]), phase([], { key: 'other' })] });
    const answer = await calls.call('POST', `/plans/${draft.id}/publish`);
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual([
      'plan_has_non_last_phase_with_no_duration',
      'plan_phase_has_no_rate_cards',
      'plan_phase_has_no_rate_cards',
    ]);
    expect(await calls.ok('GET', `/plans/${draft.id}`)).toEqual(draft);
    expect(await calls.ok('GET', `/plans/${active.id}`)).toEqual(active);
  });

  test('400: what is published already, archived, or deleted', async () => {
    const plan = await calls.publishPlan('publish_twice');
    const path = `/plans/${plan.id}/publish`;
    expect(codes(await calls.call('POST', path))).toEqual(['plan_invalid_status']);
    await calls.ok('POST', `/plans/${plan.id}/archive`);
    expect(codes(await calls.call('POST', path))).toEqual(['plan_invalid_status']);
    await calls.ok('DELETE', `/plans/${plan.id}`);
    const answer = await calls.call('POST', path);
    expect([answer.status, codes(answer)]).toEqual([400, ['plan_invalid_status']]);
  });

  test('404', async () => {
    expect((await calls.call('POST', `/plans/${UNKNOWN_ID}/publish`)).status).toBe(404);
  });

  test('a clock that was set back does not make two versions overlap', async () => {
    const first = await calls.publishPlan('clock');
    const atMs = backend.clock.nowMs();
    backend.clock.advanceMs(-60_000);
    const second = await calls.publishPlan('clock');
    backend.clock.set(new Date(atMs).toISOString());
    const [one, other] = [await calls.ok('GET', `/plans/${first.id}`), await calls.ok('GET', `/plans/${second.id}`)];
    expect([one.status, other.status]).toEqual(['archived', 'active']);
    expect(other.effective_from).toBe(one.effective_to);
    expect(one.effective_to).toBe(one.effective_from);
  });
});

describe('POST /plans/{planId}/archive', () => {
  test('200: no version is in force any more', async () => {
    const plan = await calls.publishPlan('archive');
    backend.clock.advanceMs(1000);
    const archived = await calls.ok('POST', `/plans/${plan.id}/archive`);
    expect(archived).toEqual({
      ...plan,
      status: 'archived',
      effective_to: archived.updated_at,
      updated_at: archived.updated_at,
    });
    expect((await calls.ok('GET', '/plans?filter[key]=archive&filter[status]=active')).data).toEqual([]);
  });

  test('400: a draft, an archived version, a deleted one', async () => {
    const plan = await calls.createPlan('archive_draft');
    const path = `/plans/${plan.id}/archive`;
    expect(codes(await calls.call('POST', path))).toEqual(['plan_invalid_status']);
    await calls.ok('POST', `/plans/${plan.id}/publish`);
    await calls.ok('POST', path);
    expect(codes(await calls.call('POST', path))).toEqual(['plan_invalid_status']);
    await calls.ok('DELETE', `/plans/${plan.id}`);
    expect(codes(await calls.call('POST', path))).toEqual(['plan_invalid_status']);
  });

  test('404', async () => {
    expect((await calls.call('POST', `/plans/${UNKNOWN_ID}/archive`)).status).toBe(404);
  });
});

describe('POST /plans/{planId}/next', () => {
  test('201: a draft with the content of the version, also of an archived one', async () => {
    const first = await calls.publishPlan('next', { description: 'First', labels: { a: 'b' } });
    await calls.publishPlan('next', { description: 'Second' });
    const { status, json } = await calls.call('POST', `/plans/${first.id}/next`);
    expect(status).toBe(201);
    const { effective_from, ...content }: Json = first;
    const at = json.created_at;
    expect(json).toEqual({ ...content, id: json.id, version: 3, status: 'draft', created_at: at, updated_at: at });
  });

  test('409 when there is a draft, 400 for a deleted version, 404', async () => {
    const draft = await calls.createPlan('next_draft');
    const answer = await calls.call('POST', `/plans/${draft.id}/next`);
    expect([answer.status, codes(answer)]).toEqual([409, ['only_a_single_draft_version_allowed']]);
    await calls.ok('DELETE', `/plans/${draft.id}`);
    expect((await calls.call('POST', `/plans/${draft.id}/next`)).status).toBe(400);
    expect((await calls.call('POST', `/plans/${UNKNOWN_ID}/next`)).status).toBe(404);
  });
});
