import { z } from '@hono/zod-openapi';
import { Decimal } from '../../../platform/decimal.ts';
import { numericSchema } from '../../../platform/http/schemas.ts';
import { checkNotNegative } from '../checks.ts';
import type { RatingContext } from '../context.ts';
import { multiplicationSteps } from '../explanation-steps.ts';
import { readNumber } from '../numbers.ts';
import { priceUnits } from '../price-units.ts';
import { Quantity } from '../quantity.ts';
import type { PriceOf } from '../types.ts';
import type { Priced, PriceModel } from './price-model.ts';

/** One fee for each billing cadence, or once. Source: OpenMeter billing/rating/service/rate/flat.go. */
export const flat = {
  schema: z
    .strictObject({ type: z.literal('flat'), amount: numericSchema })
    .openapi('BillingPriceFlat', { description: 'A fee for each billing cadence, or once when there is no cadence.' }),
  label: 'flat price',
  charges: 'fee',
  canSplit: false,
  fixedAmount: ({ amount }) => amount,
  stretches: () => [],
  check: ({ amount }, report) => void checkNotNegative(amount, 'price.amount', report),
  price: (price, _usage, context) => priceFlat(price, context),
} satisfies PriceModel<'flat'>;

/** With the first part of the period when it is paid in advance, with the last when in arrears. */
function priceFlat(price: PriceOf<'flat'>, context: RatingContext): Priced {
  const inAdvance = context.paymentTerm === 'in_advance';
  if (!(inAdvance ? context.isFirstPart : context.isLastPart)) {
    return { lines: [], reason: `A fee ${inAdvance ? 'in advance' : 'in arrears'} is billed with another part.` };
  }
  const unitPrice = readNumber(price.amount, 'price.amount');
  const units = priceUnits(new Quantity(new Decimal(1)), Quantity.ZERO, unitPrice, context.currency);
  const what = `Flat price, paid ${inAdvance ? 'in advance' : 'in arrears'}`;
  const line = {
    name: context.name,
    childUniqueReferenceId: 'flat-price',
    category: 'regular',
    paymentTerm: context.paymentTerm,
    ...units,
    servicePeriod: context.servicePeriod,
    discounts: [],
    credits: [],
    steps: multiplicationSteps('flat_price', what, units, context.currency),
  } as const;
  return { lines: [line] };
}
