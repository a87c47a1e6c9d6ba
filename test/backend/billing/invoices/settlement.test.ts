import { expect, test } from 'vitest';
import { fee, openStory } from '../../../scenarios/billing/story.ts';
import { codeOf, send } from '../../../support/answers.ts';
import { flatCharge } from '../../../support/billing/charges.ts';

const START = '2026-01-01T00:00:00Z';

test('400: nothing is sold for credits before there are any', async () => {
  const s = await openStory(START);
  try {
    const plan = await s.plan('p', [fee('10')]);
    const buy = { customer: { id: s.customer.id }, plan: { id: plan.id } };
    const credits = { settlement_mode: 'credit_only' };
    const first = await send(s.backend, 'POST', '/subscriptions', { ...buy, ...credits }, 400);
    const { id } = await s.subscribe(plan);
    const changed = { ...buy, ...credits, timing: 'immediate' };
    const second = await send(s.backend, 'POST', `/subscriptions/${id}/change`, changed, 400);
    const charge = flatCharge('10', START, credits);
    const third = await send(s.backend, 'POST', `/customers/${s.customer.id}/charges`, charge, 400);
    for (const refused of [first, second, third]) {
      expect(codeOf(refused)).toMatch(/settlement_mode_not_supported$/);
      expect(refused.extensions.validationErrors[0]).toMatchObject({
        field: 'settlement_mode',
        message: expect.stringContaining('use credit_then_invoice'),
      });
    }
  } finally {
    await s.close();
  }
});
