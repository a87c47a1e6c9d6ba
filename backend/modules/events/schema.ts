import { z } from '@hono/zod-openapi';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { parseInstant } from '../../platform/instant.ts';
import { isJsonObject } from '../../platform/json.ts';

// RFC 3986, section 4.1: authority, whose brackets are an address; path; query; fragment. A scheme looks like a path, and a
// host with its port ("10.0.0.1:80") passes too, though a first segment with a colon should be a scheme. Each part is ended
// by a character that it cannot have, so that matching never goes back far.
const NAME = "[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2}";
const SCHEME = '(?:[A-Za-z][A-Za-z0-9+.-]*:)?';
const AUTHORITY = `(?://(?:${NAME})*(?:\\[[0-9A-Fa-fv:.]+\\](?::\\d*)?)?(?=[/?#]|$))?`;
const REST = `(?:${NAME}|/)*(?:\\?(?:${NAME}|[/?])*)?(?:#(?:${NAME}|[/?])*)?`;
const URI_REFERENCE = new RegExp(`^${SCHEME}${AUTHORITY}${REST}$`);
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:.+$/;

// SQLite keeps UTF-8: half a surrogate pair would be stored as another text than was sent, and two ids could become one.
const wellFormed = (text: string) => text.isWellFormed();
const text = z.string().min(1).refine(wellFormed, { error: 'must be well-formed Unicode' });

/** The CloudEvents attributes that the API takes. Closed: an unknown attribute is refused. */
export const meteringEventSchema = z
  .strictObject({
    id: text.openapi({ description: 'Identifies the event within its source: the same id and source count once.' }),
    source: text
      .regex(URI_REFERENCE, 'must be a URI reference (RFC 3986)')
      .openapi({ description: 'Where the event comes from.', format: 'uri-reference' }),
    specversion: z.literal('1.0').default('1.0'),
    type: text.openapi({ description: 'Meters select events by it.' }),
    subject: text.openapi({ description: 'Who used it: what a customer is found by.' }),
    time: dateTimeSchema
      .refine((value) => (parseInstant(value) ?? 1) > 0, { error: 'must be later than 1970-01-01T00:00:00Z' })
      .nullish()
      .openapi({ description: 'When it happened; the time of receipt when absent.' }),
    datacontenttype: z.literal('application/json').nullish(),
    dataschema: z
      .string()
      .min(1)
      .refine((value) => URI.test(value) && URI_REFERENCE.test(value), { error: 'must be a URI' })
      .nullish()
      .openapi({ description: 'Accepted, not kept.', format: 'uri' }),
    data: z
      .custom<Record<string, unknown>>(isJsonObject, { error: 'must be an object', params: { rule: 'is_object' } })
      .nullish()
      .openapi({ type: 'object', description: 'What meters read values and dimensions from.' }),
  })
  .openapi('MeteringEvent');
export type MeteringEvent = z.output<typeof meteringEventSchema>;

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
    rejected: z.array(
      z.strictObject({
        index: z.int().openapi({ description: 'Position in the batch, from 0.' }),
        id: z.string().optional(),
        source: z.string().optional(),
        invalid_parameters: z.array(z.record(z.string(), z.unknown())),
      }),
    ),
  })
  .openapi('IngestReport');
export type IngestReport = z.output<typeof ingestReportSchema>;

export const ingestTotalsSchema = z
  .strictObject({ received: z.int(), stored: z.int(), duplicates: z.int() })
  .openapi('IngestTotals');
export type IngestTotals = z.output<typeof ingestTotalsSchema>;
