import { z } from '@hono/zod-openapi';
import type { PriceModel } from './price-model.ts';

/** Nothing is charged, and nothing is billed. */
export const free = {
  schema: z.strictObject({ type: z.literal('free') }).openapi('BillingPriceFree'),
  label: 'free price',
  charges: 'nothing',
  canSplit: false,
  fixedAmount: () => '0',
  stretches: () => [],
  check: () => {},
  price: () => ({ lines: [], reason: 'Free: nothing is billed.' }),
} satisfies PriceModel<'free'>;
