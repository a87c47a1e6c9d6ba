import { z } from '@hono/zod-openapi';
import type { BrokenRule, InvalidParameter } from '../../platform/errors.ts';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, isMatchable, MATCHABLE, ulidSchema } from '../../platform/http/schemas.ts';
import { MAX_REFUSALS } from '../../platform/http/validation.ts';
import { parseInstant } from '../../platform/instant.ts';
import { isJsonObject } from '../../platform/json.ts';

const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/** Longer than anything that tells events, their senders, kinds or users apart; each stands in many places. */
const MAX_ID_LENGTH = 512;
const MAX_SOURCE_LENGTH = 1024;
const MAX_TYPE_LENGTH = 256;
const MAX_SUBJECT_LENGTH = 512;

const text = (maximum: number) => z.string().min(1).max(maximum).refine(isMatchable, MATCHABLE);
const MEDIA_TYPE_OF_JSON = /^[\w.+-]+\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** Extension attributes are lower-case letters and digits (CloudEvents 1.0, 3.1); values are what one header can carry. */
const EXTENSION_NAME = /^[a-z0-9]+$/;
const extensionValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The CloudEvents attributes that the API takes. Others are checked by `extensionProblems`, and not kept. */
export const meteringEventSchema = z
  .object({
    id: text(MAX_ID_LENGTH).openapi({
      description: 'Identifies the event within its source: the same id and source count once.',
    }),
    // A URI reference by the book; senders write what they are called, and drop an event that is refused.
    source: z
      .string()
      .min(1)
      .max(MAX_SOURCE_LENGTH)
      .refine((value) => isMatchable(value) && !CONTROL_CHARACTER.test(value), {
        error: 'must be well-formed Unicode text without control characters',
      })
      .openapi({ description: 'Where the event comes from: a URI reference, or any other name.' }),
    specversion: z.literal('1.0').default('1.0'),
    type: text(MAX_TYPE_LENGTH).openapi({ description: 'Meters select events by it.' }),
    subject: text(MAX_SUBJECT_LENGTH).openapi({ description: 'Who used it: what a customer is found by.' }),
    time: dateTimeSchema
      .refine((value) => (parseInstant(value) ?? 1) > 0, { error: 'must be later than 1970-01-01T00:00:00Z' })
      .nullish()
      .openapi({ description: 'When it happened; the time of receipt when absent.' }),
    datacontenttype: z
      .string()
      .refine((value) => MEDIA_TYPE_OF_JSON.test(value), {
        error: 'must be application/json, or another JSON type',
        params: { rule: 'enum', choices: ['application/json'] } satisfies BrokenRule,
      })
      .nullish()
      .openapi({ example: 'application/json' }),
    dataschema: z
      .string()
      .min(1)
      .refine((value) => URI.test(value), { error: 'must be a URI' })
      .nullish()
      .openapi({ description: 'Accepted, not kept.', format: 'uri' }),
    data: z
      .custom<Record<string, unknown>>(isJsonObject, { error: 'must be an object', params: { rule: 'is_object' } })
      .nullish()
      .openapi({ type: 'object', description: 'What meters read values and dimensions from.' }),
  })
  .catchall(extensionValue)
  .openapi('MeteringEvent');
export type MeteringEvent = z.output<typeof meteringEventSchema>;

/** Names that no attribute can have, `__proto__` among them: schemas do not see it. */
export function extensionProblems(event: Record<string, unknown>): InvalidParameter[] {
  const problems: InvalidParameter[] = [];
  for (const name of Object.keys(event)) {
    if (EXTENSION_NAME.test(name)) continue;
    problems.push({ field: name, rule: 'unknown_property', reason: 'unknown property', source: 'body' });
    if (problems.length === MAX_REFUSALS) break;
  }
  return problems;
}

export const ingestedEventSchema = z
  .strictObject({
    event: z.strictObject({
      id: z.string(),
      source: z.string(),
      specversion: z.string(),
      type: z.string(),
      subject: z.string(),
      time: dateTimeSchema,
      data: z.record(z.string(), z.unknown()).optional(),
      datacontenttype: z.literal('application/json').optional(),
    }),
    customer: z.strictObject({ id: ulidSchema }).optional(),
    ingested_at: dateTimeSchema,
    stored_at: dateTimeSchema,
    validation_errors: z
      .array(
        z.strictObject({
          code: z.string(),
          message: z.string(),
          attributes: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .optional()
      .openapi({ description: 'Why the event does not count, or not everywhere.' }),
  })
  .openapi('IngestedEvent');
export type IngestedEvent = z.output<typeof ingestedEventSchema>;

export const eventPageSchema = z
  .strictObject({ data: z.array(ingestedEventSchema), meta: cursorMetaSchema })
  .openapi('IngestedEventPage');

/** What lenient handling answers: which events of the batch were refused, and why. */
export const ingestReportSchema = z
  .strictObject({
    received: z.int(),
    stored: z.int(),
    duplicates: z.int(),
    rejected_total: z.int().openapi({ description: 'How many events were refused.' }),
    rejected: z
      .array(
        z.strictObject({
          index: z.int().openapi({ description: 'Position in the batch, from 0.' }),
          id: z.string().optional(),
          source: z.string().optional(),
          invalid_parameters: z.array(z.record(z.string(), z.unknown())),
        }),
      )
      .openapi({ description: 'The first of them, with at most 100 reasons in all.' }),
  })
  .openapi('IngestReport');
export type IngestReport = z.output<typeof ingestReportSchema>;

export const ingestTotalsSchema = z
  .strictObject({ received: z.int(), stored: z.int(), duplicates: z.int() })
  .openapi('IngestTotals');
export type IngestTotals = z.output<typeof ingestTotalsSchema>;
