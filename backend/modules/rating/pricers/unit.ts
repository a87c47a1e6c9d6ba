import type { RatingContext, Usage } from '../context.ts';
import { multiplicationSteps } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/** Quantity × unit price; no line without usage. Source: OpenMeter billing/rating/service/rate/unit.go. */
export function priceUnit(price: Extract<Price, { type: 'unit' }>, usage: Usage, context: RatingContext): Priced {
  if (usage.quantity.isZero()) return { lines: [], reason: 'No usage to bill.' };
  const { currency } = context;
  const unitPrice = readNumber(price.amount, 'price.amount');
  const units = priceUnits(usage.quantity, usage.previousQuantity, unitPrice, currency);
  const steps = multiplicationSteps('unit_price', 'Unit price', units, currency);
  return { lines: [usageLine(context, { suffix: 'usage in period', reference: 'unit-price-usage', units, steps })] };
}
