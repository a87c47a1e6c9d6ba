import { expect, test } from 'vitest';
import { wantedCharges } from '../../../../backend/billing/charges/wanted.ts';
import { subscriptionView } from '../../../../backend/customers/subscriptions/view.ts';
import type { Period } from '../../../../backend/platform/period/index.ts';
import { agreedIn } from '../../../support/customers/agreed-subscriptions.ts';
import { periodVectorsOf } from '../../../support/period-vectors.ts';

const currencies = new Map([['USD', { code: 'USD', digits: 2 }]]);
const iso = (atMs: number) => new Date(atMs).toISOString().replace('.000Z', 'Z');
const span = ({ fromMs, toMs }: Period) => [iso(fromMs), iso(toMs)];

/**
 * Charges are the lines of a subscription that cost something and begin, or fall due, by an instant: those of the case,
 * each with its identity and its periods.
 */
test.each(periodVectorsOf('subscription_lines'))('charges: $name', async (vector) => {
  const agreed = agreedIn(vector);
  const untilMs = Date.parse(vector.generate_until);
  const view = subscriptionView(agreed, agreed.activeFromMs);
  const charges = await wantedCharges(view, { untilMs, endProrationMode: 'bill_actual_period', currencies });
  const expected = vector.expected.filter(({ service_period: [from] }) => Date.parse(from) < untilMs);
  const known = new Set(expected.map(({ key }) => key));
  const own = charges.filter(({ reference }) => known.has(reference));
  expect(
    own.map((charge) => ({
      key: charge.reference,
      service_period: span(charge.servicePeriod),
      full_service_period: span(charge.fullServicePeriod),
      billing_period: span(charge.billingPeriod),
    })),
  ).toEqual(expected);
  // What is asked for beyond the case begins no earlier than the case ends.
  const others = charges.filter(({ reference }) => !known.has(reference));
  expect(
    others.filter(({ servicePeriod, invoiceAtMs }) => servicePeriod.fromMs < untilMs && invoiceAtMs <= untilMs),
  ).toEqual([]);
  expect(new Set(charges.map(({ reference }) => reference)).size).toBe(charges.length);
});
