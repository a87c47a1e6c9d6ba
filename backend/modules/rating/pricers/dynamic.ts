import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import type { RatingContext, Usage } from '../context.ts';
import { money, roundingSteps, step } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import { Quantity } from '../quantity.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/**
 * The metered value is money: once the rounded product of value and multiplier.
 * Source: OpenMeter billing/rating/service/rate/dynamic.go.
 */
export function priceDynamic(price: Extract<Price, { type: 'dynamic' }>, usage: Usage, context: RatingContext): Priced {
  if (usage.quantity.isZero()) return { lines: [], reason: 'No usage to bill.' };
  const { currency } = context;
  const multiplier = readNumber(price.multiplier ?? '1', 'price.multiplier');
  const priced = priceUnits(usage.quantity, usage.previousQuantity, multiplier, currency);
  const product = usage.quantity.times(multiplier);
  const sentence =
    `Dynamic price: metered value ${money(usage.quantity.toDecimal(), currency)} × ${formatDecimal(multiplier)} ` +
    `= ${money(product, currency)}.`;
  const steps = [step('dynamic_price', sentence, product), ...roundingSteps(product, priced, currency)];
  const units = { ...priced, quantity: new Quantity(new Decimal(1)), unitPrice: priced.price };
  return { lines: [usageLine(context, { suffix: 'usage in period', reference: 'usage', units, steps })] };
}
