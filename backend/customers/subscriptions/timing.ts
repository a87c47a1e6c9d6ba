import { formatInstant, parseInstant } from '../../platform/instant.ts';
import { billingPeriodAt } from './billing-period.ts';
import { invalidField } from './errors.ts';
import { phaseAt } from './phases.ts';
import type { Subscription } from './types.ts';

/** `immediate`, `next_billing_cycle`, or RFC 3339 text. */
export type Timing = string;

/** When a new subscription begins. @throws RequestProblem 400 for the past, and where there is no billing cycle yet */
export function resolveStart(timing: Timing, nowMs: number): number {
  if (timing === 'immediate') return nowMs;
  if (timing === 'next_billing_cycle') {
    throw invalidField('timing', 'next_billing_cycle is that of a subscription: a new one has none yet');
  }
  return inFuture(timing, nowMs);
}

/**
 * When a subscription ends, to be taken over by another one or not.
 * @throws RequestProblem 400 for the past, and for an instant inside a billing period: invoices are made at its end
 */
export function resolveEnd(subscription: Subscription, timing: Timing, nowMs: number): number {
  if (timing === 'immediate') return nowMs;
  if (timing === 'next_billing_cycle') return endOfBillingPeriod(subscription, nowMs);
  const atMs = inFuture(timing, nowMs);
  const period = billingPeriodAt(subscription, atMs);
  if (period?.fromMs === atMs) return atMs;
  const ends =
    period && ` The billing period there is ${formatInstant(period.fromMs)} to ${formatInstant(period.toMs)}.`;
  throw invalidField('timing', `cannot cancel aligned subscription with custom misaligned timing.${ends ?? ''}`);
}

/** When an edit takes effect. @throws RequestProblem 400 for instants, and for the end of the phase */
export function resolveEdit(subscription: Subscription, timing: Timing, nowMs: number): number {
  if (timing === 'immediate') return nowMs;
  if (timing !== 'next_billing_cycle') {
    throw invalidField('timing', 'an edit takes effect at once or with the next billing cycle, not at an instant');
  }
  const atMs = endOfBillingPeriod(subscription, nowMs);
  if (phaseAt(subscription, atMs)?.phase.key === phaseAt(subscription, nowMs)?.phase.key) return atMs;
  throw invalidField('timing', 'the next billing cycle belongs to another phase');
}

/** When an add-on's quantity changes. @throws RequestProblem 400 outside the subscription */
export function resolveAddonChange(subscription: Subscription, timing: Timing, nowMs: number): number {
  if (timing === 'immediate') return nowMs;
  if (timing === 'next_billing_cycle') return endOfBillingPeriod(subscription, nowMs);
  return inFuture(timing, nowMs);
}

function endOfBillingPeriod(subscription: Subscription, nowMs: number): number {
  const period = billingPeriodAt(subscription, nowMs);
  if (period === undefined) throw invalidField('timing', 'the subscription has no billing cycle now');
  return period.toMs;
}

function inFuture(timing: Timing, nowMs: number): number {
  const atMs = parseInstant(timing) ?? Number.NaN;
  if (atMs >= nowMs) return atMs;
  throw invalidField('timing', `must not be in the past: it is ${formatInstant(nowMs)} for the customer`);
}
