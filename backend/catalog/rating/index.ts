/**
 * Rating: quantities and the terms of a rate card become money. Invoices, previews, price calculators and what-if
 * questions all ask this module, so that they cannot disagree. It computes, and does nothing else: no clock, no
 * database, no rounding by 64-bit floats. Every number that goes in or comes out is a decimal text; money is in the
 * currency given (see platform/money.ts), quantities are in the meter's unit going in and in billing units after unit
 * conversion; periods are half-open RFC 3339 instants. All errors are RatingError with a code.
 *
 * The rules are those of OpenMeter (openmeter/billing/rating, openmeter/productcatalog, pkg/currencyx), which Konnect
 * Metering & Billing runs; each function names the part that it follows.
 *
 * - `rate`: one line → detailed lines, totals and an explanation of each number
 * - `sumTotals`, `netAmount`: totals of an invoice; what counts as billed for later parts of a period
 * - `prorate`: the part of a flat fee that a short period owes
 * - `allocate`: an amount by weights, to the last cent
 * - `canSplit`, `splitPosition`: billing a period in parts
 * - `invoiceAtMs`, `isPaidInAdvance`: when a line falls due
 * - `chargesNothing`, `chargesFee`, `chargesUsage`, `feeOf`, `fixedAmountOf`, `priceLabel`: what a price model is
 * - `convertQuantity`, `convertQuantityPrecisely`: units as invoices bill them, and as entitlement checks compare them
 * - `unitsLeft`, `runningAmount`: how much more can be used for an amount, and what usage costs while it goes on
 * - `findPricingProblems`: what is wrong with the terms of a rate card
 */
import { formatDecimal } from '../../platform/decimal.ts';
import { readNumber } from './numbers.ts';
import type { UnitConfig } from './types.ts';
import { convertForInvoice, convertPrecisely } from './unit-config.ts';

export { allocate, type Share, type Weight } from './allocation.ts';
export { type PricingProblem, RatingError, type RatingErrorCode } from './errors.ts';
export {
  chargesFee,
  chargesNothing,
  chargesUsage,
  feeOf,
  fixedAmountOf,
  needsWholePeriod,
  priceLabel,
  priceSchema,
} from './models/index.ts';
export { findPricingProblems } from './pricing-problems.ts';
export { type ProratedAmount, type ProrationInput, prorate } from './proration.ts';
export { rate } from './rate.ts';
export { canSplit, invoiceAtMs, isPaidInAdvance, splitPosition } from './split.ts';
export { netAmount, sumTotals } from './totals.ts';
export type * from './types.ts';
export { type RunningUsage, runningAmount, type UnitsLeft, unitsLeft } from './units-left.ts';

/** A metered quantity in billing units, rounded as the rate card says: what invoices bill. */
export function convertQuantity(quantity: string, config: UnitConfig): string {
  return formatDecimal(convertForInvoice(readNumber(quantity, 'quantity'), config).toDecimal());
}

/** A metered quantity in billing units, not rounded: what entitlement checks compare (v3 contract, `unit_config`). */
export function convertQuantityPrecisely(quantity: string, config: UnitConfig): string {
  return formatDecimal(convertPrecisely(readNumber(quantity, 'quantity'), config).toDecimal());
}
export { NO_TOTALS } from './no-totals.ts';
