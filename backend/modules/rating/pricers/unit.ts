import type { RatingContext, Usage } from '../context.ts';
import { multiplicationSteps } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/** Quantity × unit price; no line without usage. Source: OpenMeter billing/rating/service/rate/unit.go. */
export function priceUnit(price: Extract<Price, { type: 'unit' }>, usage: Usage, context: RatingContext): Priced {
  if (usage.quantity.lte(0)) return { lines: [], reason: 'No usage to bill.' };
  const { quantity } = usage;
  const unitPrice = readNumber(price.amount, 'price.amount');
  const steps = multiplicationSteps('unit_price', 'Unit price', quantity, unitPrice, context.currency);
  const line = { suffix: 'usage in period', reference: 'unit-price-usage', quantity, unitPrice, steps };
  return { lines: [usageLine(context, line)] };
}
