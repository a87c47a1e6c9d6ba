import { type Decimal, formatDecimal } from '../../platform/decimal.ts';
import { parseInstant } from '../../platform/instant.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import { RatingError } from './errors.ts';
import { money, step } from './explanation-steps.ts';
import { readNumber } from './numbers.ts';
import type { ExplanationStep, TextPeriod } from './types.ts';

/** A flat fee for a period that may be shorter than the one that the fee is for. */
export interface ProrationInput {
  /** The whole fee. */
  amount: string;
  currency: Currency;
  /** What is billed; half-open. */
  servicePeriod: TextPeriod;
  /** What the whole fee is for. */
  fullServicePeriod: TextPeriod;
  /** The plan's or subscription's `pro_rating_enabled`. */
  prorationEnabled: boolean;
  /** The billing profile's `subscription_end_proration_mode`. */
  subscriptionEndProrationMode?: 'bill_actual_period' | 'bill_full_period' | undefined;
  /** When the subscription ends, RFC 3339; missing while it has no end. */
  subscriptionEndsAt?: string | undefined;
}

export interface ProratedAmount {
  amount: string;
  /** False when the amount rounds to nothing: such a fee gets no line. */
  isBillable: boolean;
  /** Why the amount is not the whole fee; empty when it is. */
  explanation: readonly ExplanationStep[];
}

/**
 * The part of a flat fee that a service period owes: amount × service length ÷ full length, rounded; lengths in whole
 * seconds of real time. The whole fee is owed when proration is off, when the service period is not shorter than the
 * full one, when either is empty, and, under `bill_full_period`, when the subscription ends no later than the service
 * period. Only flat fees are prorated: usage prices, commitments, free units and tiers stay whole.
 * Source: OpenMeter openmeter/billing/charges/flatfee.
 * @throws RatingError `invalid_period`, `invalid_number`
 */
export function prorate(input: ProrationInput): ProratedAmount {
  const { currency } = input;
  const amount = readNumber(input.amount, 'amount');
  const serviceSeconds = lengthSeconds(input.servicePeriod);
  const fullSeconds = lengthSeconds(input.fullServicePeriod);
  const isWhole =
    !input.prorationEnabled ||
    serviceSeconds <= 0 ||
    fullSeconds <= 0 ||
    serviceSeconds >= fullSeconds ||
    isLastPeriodBilledWhole(input);
  if (isWhole) return written(amount, currency, []);
  // Multiplied before divided: a share of exactly half a cent must not lose its last digit to a long quotient.
  const share = roundMoney(amount.mul(serviceSeconds).div(fullSeconds), currency);
  const sentence =
    `${money(amount, currency)} for ${fullSeconds} seconds, of which ${serviceSeconds} are billed: ` +
    `${money(share, currency)}.`;
  return written(share, currency, [step('proration', sentence, share)]);
}

function written(amount: Decimal, currency: Currency, explanation: readonly ExplanationStep[]): ProratedAmount {
  return { amount: formatDecimal(amount), isBillable: !roundMoney(amount, currency).isZero(), explanation };
}

function isLastPeriodBilledWhole(input: ProrationInput): boolean {
  if (input.subscriptionEndProrationMode !== 'bill_full_period' || input.subscriptionEndsAt === undefined) return false;
  return secondsOf(input.subscriptionEndsAt) <= secondsOf(input.servicePeriod.to);
}

function lengthSeconds(period: TextPeriod): number {
  return secondsOf(period.to) - secondsOf(period.from);
}

function secondsOf(instant: string): number {
  const atMs = parseInstant(instant);
  if (atMs === undefined) throw new RatingError('invalid_period', `no RFC 3339 instant: ${instant}`);
  return Math.floor(atMs / 1000);
}
