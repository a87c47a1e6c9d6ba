import { z } from '@hono/zod-openapi';
import { ZERO } from '../../../platform/decimal.ts';
import { numericSchema } from '../../../platform/http/schemas.ts';
import { checkNotNegative } from '../checks.ts';
import type { RatingContext, Usage } from '../context.ts';
import { multiplicationSteps } from '../explanation-steps.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import type { PriceOf } from '../types.ts';
import type { Priced, PriceModel } from './price-model.ts';
import { usageLine } from './usage-line.ts';

/** Quantity × unit price. Source: OpenMeter billing/rating/service/rate/unit.go. */
export const unit = {
  schema: z
    .strictObject({ type: z.literal('unit'), amount: numericSchema })
    .openapi('BillingPriceUnit', { description: 'Quantity times amount.' }),
  label: 'unit price',
  charges: 'usage',
  canSplit: true,
  fixedAmount: () => undefined,
  stretches: ({ amount }) => [{ upTo: undefined, base: ZERO, slope: readNumber(amount, 'price.amount') }],
  check: ({ amount }, report) => void checkNotNegative(amount, 'price.amount', report),
  price: priceUnit,
} satisfies PriceModel<'unit'>;

/** No line without usage. */
function priceUnit(price: PriceOf<'unit'>, usage: Usage, context: RatingContext): Priced {
  if (usage.quantity.isZero()) return { lines: [], reason: 'No usage to bill.' };
  const { currency } = context;
  const unitPrice = readNumber(price.amount, 'price.amount');
  const units = priceUnits(usage.quantity, usage.previousQuantity, unitPrice, currency);
  const steps = multiplicationSteps('unit_price', 'Unit price', units, currency);
  return { lines: [usageLine(context, { suffix: 'usage in period', reference: 'unit-price-usage', units, steps })] };
}
