import { Decimal, formatDecimal } from '../../../platform/decimal.ts';
import { roundMoney } from '../../../platform/money.ts';
import type { RatingContext, Usage } from '../context.ts';
import { money, roundingSteps, step } from '../explain.ts';
import { readNumber } from '../numbers.ts';
import type { Price } from '../types.ts';
import { type Priced, usageLine } from './draft.ts';

/**
 * The metered value is money: once the rounded product of value and multiplier.
 * Source: OpenMeter billing/rating/service/rate/dynamic.go.
 */
export function priceDynamic(price: Extract<Price, { type: 'dynamic' }>, usage: Usage, context: RatingContext): Priced {
  if (usage.quantity.lte(0)) return { lines: [], reason: 'No usage to bill.' };
  const { currency } = context;
  const multiplier = readNumber(price.multiplier ?? '1', 'price.multiplier');
  const product = usage.quantity.mul(multiplier);
  const sentence =
    `Dynamic price: metered value ${money(usage.quantity, currency)} × ${formatDecimal(multiplier)} ` +
    `= ${money(product, currency)}.`;
  const steps = [step('dynamic_price', sentence, product), ...roundingSteps(product, currency)];
  const unitPrice = roundMoney(product, currency);
  const line = { suffix: 'usage in period', reference: 'usage', quantity: new Decimal(1), unitPrice, steps };
  return { lines: [usageLine(context, line)] };
}
