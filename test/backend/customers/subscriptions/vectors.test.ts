import { expect, test } from 'vitest';
import { billingPeriodAt } from '../../../../backend/customers/subscriptions/index.ts';
import { subscriptionLines } from '../../../../backend/customers/subscriptions/lines.ts';
import { statusAt } from '../../../../backend/customers/subscriptions/phases.ts';
import type { Subscription } from '../../../../backend/customers/subscriptions/types.ts';
import { subscriptionView } from '../../../../backend/customers/subscriptions/view.ts';
import type { Period } from '../../../../backend/platform/period/index.ts';
import { agreedIn, phase, rateCard, subscription } from '../../../support/customers/agreed-subscriptions.ts';
import { type BillingPeriodsVector, periodVectorsOf } from '../../../support/period-vectors.ts';

const at = (text: string) => Date.parse(text);
const iso = (atMs: number) => new Date(atMs).toISOString().replace('.000Z', 'Z');
const span = ({ fromMs, toMs }: Period) => [iso(fromMs), iso(toMs)];
const linesOf = (agreed: Subscription, until: string) =>
  subscriptionLines(subscriptionView(agreed, agreed.activeFromMs), { untilMs: at(until) });

test.each(periodVectorsOf('subscription_lines'))('lines: $name', (vector) => {
  const lines = linesOf(agreedIn(vector), vector.generate_until);
  expect(
    lines.map((line) => ({
      key: line.identity,
      service_period: span(line.servicePeriod),
      full_service_period: span(line.fullServicePeriod),
      billing_period: span(line.billingPeriod),
    })),
  ).toEqual(vector.expected);
});

function phasesOf(vector: BillingPeriodsVector) {
  const items = [
    { rateCard: rateCard('monthly usage in arrears', { unit: '1', billingCadence: 'P1M' }) },
    { rateCard: rateCard('monthly flat in advance', { flat: '1', billingCadence: 'P1M' }) },
    { rateCard: rateCard('daily usage in arrears', { unit: '1', billingCadence: 'P1D' }) },
  ];
  return vector.phase === null
    ? [phase('only', { items })]
    : [phase('free'), phase('paid', { startAfter: 'P1M', items })];
}

test.each(periodVectorsOf('billing_periods'))('billing periods: $name', (vector) => {
  const agreed = subscription({
    activeFromMs: at(vector.subscription_start),
    billingAnchorMs: at(vector.billing_anchor),
    billingCadence: vector.billing_cadence,
    phases: phasesOf(vector),
  });
  let fromMs = at(vector.phase?.[0] ?? vector.subscription_start);
  const periods = vector.expected.map(() => {
    const period = billingPeriodAt(agreed, fromMs) as Period;
    fromMs = period.toMs;
    return period;
  });
  expect(periods.map(span)).toEqual(vector.expected);
  const last = vector.expected.at(-1)?.[1] ?? '';
  const lines = linesOf(agreed, last);
  if (vector.invoice_at) {
    const monthly = lines.filter((line) => line.itemKey === 'monthly usage in arrears');
    expect(monthly.map((line) => iso(line.invoiceAtMs))).toEqual(vector.invoice_at);
  }
  for (const expected of vector.lines ?? []) {
    const own = lines.filter((line) => line.itemKey === expected.item);
    if (expected.service_periods) expect(own.map((line) => span(line.servicePeriod))).toEqual(expected.service_periods);
    if (expected.invoice_at) expect(own.map((line) => iso(line.invoiceAtMs))).toEqual(expected.invoice_at);
    if (expected.count) expect(own).toHaveLength(expected.count);
    if (expected.first) expect(span(own[0]?.servicePeriod as Period)).toEqual(expected.first);
    if (expected.last) expect(span(own.at(-1)?.servicePeriod as Period)).toEqual(expected.last);
    if (expected.invoice_at_all) {
      expect(new Set(own.map((line) => iso(line.invoiceAtMs)))).toEqual(new Set([expected.invoice_at_all]));
    }
  }
});

test.each(periodVectorsOf('subscription_status'))('status: $name', (vector) => {
  const period = {
    activeFromMs: at(vector.active_from),
    ...(vector.active_to && { activeToMs: at(vector.active_to) }),
    ...(vector.deleted_at && { deletedAtMs: at(vector.deleted_at) }),
  };
  expect(statusAt(period, at(vector.at))).toBe(vector.expected);
});
