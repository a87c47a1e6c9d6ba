import { expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { act, extended, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

const START = '2026-01-01T00:00:00Z';
const P14D = { payment: { collection_method: 'send_invoice', due_after: 'P14D' } };

test('payment is due from the day of the real issue on, whenever that was planned', async () => {
  const t = await createTestBackend({ start: START });
  try {
    const held = await createCustomer(t, 'held');
    const profile = await useProfile(t, held.id, { ...P14D, tax: { enforced: true } });
    await createCharge(t, held.id, flatCharge('5', START));
    const invalid = await invoiceNow(t, held.id);
    expect(extended(invalid)).toBe('draft.invalid');

    t.clock.set('2026-01-03T00:00:00Z');
    const early = await createCustomer(t, 'early');
    await useProfile(t, early.id, { ...P14D, invoicing: { draft_period: 'P8D' } });
    await createCharge(t, early.id, flatCharge('5', START));
    const waiting = await invoiceNow(t, early.id);
    expect(waiting.draft_until).toBe('2026-01-11T00:00:00Z');
    expect(await act(t, waiting.id, 'approve')).toMatchObject({
      issued_at: '2026-01-03T00:00:00Z',
      due_at: '2026-01-17T00:00:00Z',
    });

    t.clock.set('2026-03-01T00:00:00Z');
    const { id, created_at: _, updated_at: __, apps: ___, ...kept } = profile;
    await send(t, 'PUT', `/profiles/${id}`, { ...kept, workflow: P14D }, 200);
    expect(await act(t, invalid.id, 'retry')).toMatchObject({
      issued_at: '2026-03-01T00:00:00Z',
      due_at: '2026-03-15T00:00:00Z',
    });
  } finally {
    await t.close();
  }
});
