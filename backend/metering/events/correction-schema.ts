import { z } from '@hono/zod-openapi';
import { cursorMetaSchema, pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { ingestedEventSchema } from './schema.ts';

/** Each id is one look into the writer's memory, and each value one comparison. */
const MAX_VALUES = 1000;

const oneOf = (item: z.ZodType<string>) =>
  z.union([z.strictObject({ eq: item }), z.strictObject({ in: z.array(item).min(1).max(MAX_VALUES) })]);
const text = oneOf(z.string().min(1).max(1024));
const range = z
  .strictObject({
    eq: dateTimeSchema.optional(),
    gte: dateTimeSchema.optional(),
    gt: dateTimeSchema.optional(),
    lt: dateTimeSchema.optional(),
    lte: dateTimeSchema.optional(),
  })
  .refine((bounds) => Object.keys(bounds).length > 0, { error: 'must have a bound' });

export const correctionFilterSchema = z
  .strictObject({
    id: text.optional(),
    source: text.optional(),
    subject: text.optional(),
    type: text.optional(),
    customer_id: oneOf(ulidSchema).optional(),
    time: range.optional(),
    ingested_at: range.optional(),
    stored_at: range.optional(),
    correction_id: ulidSchema
      .optional()
      .openapi({ description: 'Only events that this correction made void; for restore.' }),
  })
  .refine((filter) => Object.keys(filter).length > 0, { error: 'must have at least one condition' })
  .openapi('EventCorrectionFilter', { description: 'All conditions hold together.' });
export type CorrectionFilter = z.output<typeof correctionFilterSchema>;

export const createCorrectionSchema = z
  .strictObject({
    action: z.enum(['void', 'restore']).openapi({ description: 'void: stop counting; restore: count again.' }),
    reason: z.string().trim().min(1).max(1024),
    filter: correctionFilterSchema,
    dry_run: z.boolean().default(false).openapi({ description: 'Only tell what would change.' }),
  })
  .refine(({ action, filter }) => action === 'restore' || filter.correction_id === undefined, {
    path: ['filter', 'correction_id'],
    error: 'is for restore only',
  })
  .openapi('CreateEventCorrection');
export type CreateCorrection = z.output<typeof createCorrectionSchema>;

export const correctionSchema = z
  .strictObject({
    id: ulidSchema,
    action: z.enum(['void', 'restore']),
    reason: z.string(),
    made_by: z.string().openapi({ description: "Name of the caller's access token." }),
    created_at: dateTimeSchema,
    filter: z.record(z.string(), z.unknown()),
    state: z.enum(['running', 'finished']),
    events: z.int().openapi({ description: 'Events changed so far.' }),
    events_expected: z.int().openapi({ description: 'Events that were to be changed when it began.' }),
    finished_at: dateTimeSchema.optional(),
  })
  .openapi('EventCorrection');
export type EventCorrection = z.output<typeof correctionSchema>;

export const correctionPreviewSchema = z
  .strictObject({
    dry_run: z.literal(true),
    events: z.int().openapi({ description: 'Events that would be changed.' }),
    sample: z.array(ingestedEventSchema).openapi({ description: 'The oldest of them.' }),
  })
  .openapi('EventCorrectionPreview');
export type CorrectionPreviewAnswer = z.output<typeof correctionPreviewSchema>;

export const correctionPageSchema = z
  .strictObject({ data: z.array(correctionSchema), meta: pageMetaSchema })
  .openapi('EventCorrectionPage');
export type CorrectionPage = z.output<typeof correctionPageSchema>;

export const correctedEventPageSchema = z
  .strictObject({ data: z.array(ingestedEventSchema), meta: cursorMetaSchema })
  .openapi('CorrectedEventPage');
export type CorrectedEventPage = z.output<typeof correctedEventPageSchema>;
