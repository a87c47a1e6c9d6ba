import { adjustmentRepository } from '../../../backend/billing/adjustments/repository.ts';
import type { Adjustment } from '../../../backend/billing/adjustments/types.ts';
import { chargeRepository } from '../../../backend/billing/charges/repository.ts';
import type { Charge } from '../../../backend/billing/charges/types.ts';
import { createIds } from '../../../backend/platform/ids.ts';
import type { TestBackend } from '../backend.ts';

/** Open charges of a customer, each of 1 USD, all due at one instant. */
export async function storeFees(t: TestBackend, customerId: string, count: number, dueAt: string): Promise<void> {
  const newId = createIds(t.clock);
  const atMs = Date.parse(dueAt);
  const period = { fromMs: atMs, toMs: atMs };
  const charges = Array.from(
    { length: count },
    (_, index): Charge => ({
      id: newId(),
      customerId,
      controller: 'manual',
      state: 'open',
      currency: 'USD',
      name: `Fee ${index + 1}`,
      terms: { price: { type: 'flat', amount: '1' }, payment_term: 'in_advance' },
      settlementMode: 'credit_then_invoice',
      prorationMode: 'no_proration',
      amount: '1',
      servicePeriod: period,
      fullServicePeriod: period,
      billingPeriod: period,
      invoiceAtMs: atMs,
      createdAtMs: t.clock.nowMs(),
      updatedAtMs: t.clock.nowMs(),
    }),
  );
  await t.db.transaction((trx) => chargeRepository(trx).insert(charges));
}

/** Credits of 0.5 USD that wait for the customer's next invoice. */
export async function storeCredits(t: TestBackend, customerId: string, count: number): Promise<void> {
  const newId = createIds(t.clock);
  const createdAtMs = t.clock.nowMs();
  const credits = Array.from(
    { length: count },
    (_, index): Adjustment => ({
      id: newId(),
      customerId,
      currency: 'USD',
      reason: 'unused_time',
      name: `Credit ${index + 1}`,
      description: 'Paid in advance for time that is not used.',
      amount: '-0.5',
      period: { fromMs: createdAtMs, toMs: createdAtMs },
      state: 'pending',
      createdAtMs,
    }),
  );
  await t.db.transaction((trx) => adjustmentRepository(trx).store(credits));
}
