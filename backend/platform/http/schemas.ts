import { z } from '@hono/zod-openapi';
import { Decimal, formatDecimal } from '../decimal.ts';
import type { BrokenRule } from '../errors.ts';
import { ULID_PATTERN } from '../ids.ts';
import { formatInstant, parseInstant } from '../instant.ts';
import { parseIsoDuration } from '../iso-duration.ts';
import { isRawJson, type RawJson } from '../json.ts';

/** Scalars that every resource of the contract uses. */

export const ulidSchema = z.string().regex(ULID_PATTERN, 'must be a ULID').openapi('ULID');

export const resourceKeySchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9]+(?:_[a-z0-9]+)*$/, 'must consist of lower-case letters, digits and single underscores between them')
  .openapi('ResourceKey');

/**
 * Customers' keys and subjects are compared with events' subjects byte by byte, so one rule holds for both. Half a
 * surrogate pair would be stored as another character and a NUL not at all by some databases: two texts could become one,
 * or a customer never be found.
 */
export const isMatchable = (text: string) => text.isWellFormed() && !text.includes('\0');
export const MATCHABLE = { error: 'must be well-formed Unicode text without NUL' };

export const nameSchema = z.string().min(1).max(256);
export const descriptionSchema = z.string().max(1024);

/** RFC 3339 text; checked, kept as text. */
export const dateTimeSchema = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, {
    params: { rule: 'is_date_time' },
    error: 'must be a date and time (RFC 3339), such as "2026-01-01T00:00:00Z"',
  })
  .openapi('DateTime', { format: 'date-time' });

/** RFC 3339 text that becomes an instant in UTC text, as answers carry it. */
export const instantSchema = dateTimeSchema.transform((text) => formatInstant(parseInstant(text) ?? Number.NaN));

/** More digits than any amount of money or usage has; the contract sets no bound. */
const MAX_NUMERIC_LENGTH = 64;

/** A decimal number as text; the sign is judged by the rules of what it stands for. */
export const numericSchema = z
  .string()
  .max(MAX_NUMERIC_LENGTH)
  .regex(/^-?[0-9]+(\.[0-9]+)?$/, 'must be a decimal number, such as "12.5"')
  .openapi('Numeric', { example: '12.5' });

/** A price, a quantity: a decimal number as text, not below zero. */
export const nonNegativeNumericSchema = z
  .string()
  .max(MAX_NUMERIC_LENGTH)
  .regex(/^[0-9]+(\.[0-9]+)?$/, 'must be a decimal number, not negative, such as "12.5"')
  .openapi('NonNegativeNumeric');

/** A JSON number that becomes a decimal text, digit by digit, also where a double would change it. */
export const exactNumberSchema = z
  .union([z.number(), z.custom<RawJson>(isRawJson)], { error: 'must be a number' })
  .transform((value, context) => {
    const number = new Decimal(typeof value === 'number' ? value : value.rawJSON);
    // 1e400 as plain digits would be a text of 401 characters, in every answer.
    if (number.abs().lt('1e64') && number.decimalPlaces() <= MAX_NUMERIC_LENGTH) return formatDecimal(number);
    context.addIssue({ code: 'custom', message: `must have at most ${MAX_NUMERIC_LENGTH} digits on either side` });
    return z.NEVER;
  });

/** A JSON number from 0 to 100 that becomes a decimal text. */
export const percentageSchema = exactNumberSchema
  .refine((text) => !text.startsWith('-'), {
    error: 'must be at least 0',
    params: { rule: 'min', minimum: 0 } satisfies BrokenRule,
  })
  .refine((text) => new Decimal(text).lte(100), {
    error: 'must be at most 100',
    params: { rule: 'max', maximum: 100 } satisfies BrokenRule,
  })
  .openapi({ type: 'number', minimum: 0, maximum: 100 });

/** ISO 8601 text; checked, kept as text. */
export const isoDurationSchema = z
  .string()
  .refine((text) => parseIsoDuration(text) !== undefined, {
    error: 'must be an ISO 8601 duration of whole numbers and at most a hundred years, such as "P1M"',
    params: { rule: 'matches_regex' },
  })
  .openapi('ISO8601Duration', { example: 'P1M' });

const LABEL_PREFIXES = ['_', 'kong', 'konnect', 'insomnia', 'mesh', 'kic', 'kuma', 'openmeter'];
const LABEL = /^[a-z0-9A-Z](?:[a-z0-9A-Z\-._]*[a-z0-9A-Z])?$/;

const MAX_LABELS = 50;

/** Up to 50 labels; keys and values of 1 to 63 letters, digits, dots, dashes and underscores; reserved prefixes refused. */
export const labelsSchema = z
  .record(z.string(), z.string())
  .superRefine((labels, context) => {
    const entries = Object.entries(labels);
    const refuse = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path, message, params: { rule: 'is_label' } });
    if (entries.length > MAX_LABELS) {
      const params = { rule: 'max_items', maximum: MAX_LABELS } satisfies BrokenRule;
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_LABELS} labels`, params });
    }
    for (const [key, value] of entries) {
      if (key.length > 63 || !LABEL.test(key))
        refuse([key], 'the label key must match the label pattern, 1 to 63 characters');
      if (LABEL_PREFIXES.some((prefix) => key.startsWith(prefix))) {
        refuse([key], `the label key may not start with ${LABEL_PREFIXES.join(', ')}`);
      }
      if (value.length > 63 || !LABEL.test(value)) {
        refuse([key], 'the label value must match the label pattern, 1 to 63 characters');
      }
    }
  })
  .openapi('Labels');

/** Fields that every stored resource has. */
export const resourceFields = {
  id: ulidSchema,
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  created_at: dateTimeSchema,
  updated_at: dateTimeSchema,
  deleted_at: dateTimeSchema.optional(),
};
