import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, isoDurationSchema, ulidSchema } from '../../platform/http/schemas.ts';

export const putTestClockSchema = z
  .strictObject({
    now: dateTimeSchema.openapi({ description: "The customer's now. It stands still until it is moved." }),
  })
  .openapi('PutTestClockRequest');

export const advanceTestClockSchema = z
  .strictObject({
    to: dateTimeSchema.optional(),
    by: isoDurationSchema.optional().openapi({ description: 'Calendar arithmetic in UTC: a month is a month.' }),
  })
  .refine(({ to, by }) => (to === undefined) !== (by === undefined), { error: 'must have either "to" or "by"' })
  .openapi('AdvanceTestClockRequest');
export type AdvanceTestClock = z.output<typeof advanceTestClockSchema>;

export const testClockSchema = z
  .strictObject({
    customer_id: ulidSchema,
    now: dateTimeSchema,
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
  })
  .openapi('TestClock');
export type TestClockBody = z.output<typeof testClockSchema>;

export const testClockPageSchema = z
  .strictObject({ data: z.array(testClockSchema), meta: pageMetaSchema })
  .openapi('TestClockPagePaginatedResponse');
export type TestClockPage = z.output<typeof testClockPageSchema>;
