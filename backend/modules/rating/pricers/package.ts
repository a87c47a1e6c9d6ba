import { type Decimal, formatDecimal, ZERO } from '../../../platform/decimal.ts';
import type { RatingContext, Usage } from '../context.ts';
import { multiplicationSteps, step } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/**
 * Every started package is paid whole, once a period: a part of the period pays the packages that the earlier parts
 * had not started. Source: OpenMeter billing/rating/service/rate/package.go.
 */
export function pricePackage(price: Extract<Price, { type: 'package' }>, usage: Usage, context: RatingContext): Priced {
  const size = readNumber(price.quantity_per_package, 'price.quantity_per_package');
  const before = context.isFirstPart ? ZERO : packagesOf(usage.previousQuantity, size);
  const after = packagesOf(usage.quantity.add(usage.previousQuantity), size);
  const quantity = after.sub(before);
  if (quantity.isZero()) return { lines: [], reason: 'No further package was started.' };
  const paid = before.isZero() ? '' : `, of which ${formatDecimal(before)} were billed with earlier parts`;
  const sentence = `${formatDecimal(after)} packages of ${formatDecimal(size)} units are started${paid}.`;
  const unitPrice = readNumber(price.amount, 'price.amount');
  const steps = [
    step('package_price', sentence, quantity),
    ...multiplicationSteps('package_price', 'Price per package', quantity, unitPrice, context.currency),
  ];
  return { lines: [usageLine(context, { suffix: 'usage in period', reference: 'usage', quantity, unitPrice, steps })] };
}

/** ceil(quantity / size), from whole quotient and rest: a long quotient could be rounded onto a whole number. */
function packagesOf(quantity: Decimal, size: Decimal): Decimal {
  const whole = quantity.divToInt(size);
  return quantity.mod(size).gt(0) ? whole.add(1) : whole;
}
