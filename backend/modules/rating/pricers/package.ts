import { formatDecimal, ZERO } from '../../../platform/decimal.ts';
import type { RatingContext, Usage } from '../context.ts';
import { multiplicationSteps, step } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import { Quantity } from '../quantity.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/**
 * Every started package is paid whole, once a period: a part of the period pays the packages that the earlier parts
 * had not started. Source: OpenMeter billing/rating/service/rate/package.go.
 */
export function pricePackage(price: Extract<Price, { type: 'package' }>, usage: Usage, context: RatingContext): Priced {
  const size = readNumber(price.quantity_per_package, 'price.quantity_per_package');
  const before = context.isFirstPart ? ZERO : usage.previousQuantity.timesBegun(size);
  const after = usage.quantity.add(usage.previousQuantity).timesBegun(size);
  const quantity = after.sub(before);
  if (quantity.isZero()) return { lines: [], reason: 'No further package was started.' };
  const paid = before.isZero() ? '' : `, of which ${formatDecimal(before)} were billed with earlier parts`;
  const sentence = `${formatDecimal(after)} packages of ${formatDecimal(size)} units are started${paid}.`;
  const unitPrice = readNumber(price.amount, 'price.amount');
  const units = priceUnits(new Quantity(quantity), new Quantity(before), unitPrice, context.currency);
  const steps = [
    step('package_price', sentence, quantity),
    ...multiplicationSteps('package_price', 'Price per package', units, context.currency),
  ];
  return { lines: [usageLine(context, { suffix: 'usage in period', reference: 'usage', units, steps })] };
}
