import { z } from '@hono/zod-openapi';
import { fiatCurrency } from '../../platform/currencies.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  instantSchema,
  nameSchema,
  nonNegativeNumericSchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { MAX_CURRENCY_DIGITS } from '../../platform/money.ts';

/** Longer symbols are sentences. */
const MAX_SYMBOL_LENGTH = 16;

const formatFields = {
  name: nameSchema,
  symbol: z.string().min(1).max(MAX_SYMBOL_LENGTH).optional(),
  precision: z
    .int()
    .min(0)
    .max(MAX_CURRENCY_DIGITS)
    .openapi({ description: 'Digits after the decimal mark: what amounts are rounded to.' }),
  decimal_mark: z.string().length(1),
  thousand_separator: z.string().length(1),
};

export const createCustomCurrencySchema = z
  .strictObject({
    ...formatFields,
    code: z
      .string()
      .min(4)
      .max(24)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must consist of letters, digits, dots, dashes and underscores'),
  })
  .refine(({ decimal_mark, thousand_separator }) => decimal_mark !== thousand_separator, {
    path: ['thousand_separator'],
    error: 'must differ from decimal_mark',
  })
  .openapi('CreateCurrencyCustomRequest');
export type CreateCustomCurrency = z.output<typeof createCustomCurrencySchema>;

const fiatCodeSchema = z
  .string()
  .regex(/^[A-Z]{3}$/, { error: 'must be three capital letters, as in ISO 4217', abort: true })
  .refine((code) => fiatCurrency(code) !== undefined, { error: 'must be the code of an ISO 4217 currency' });

export const createCostBasisSchema = z
  .strictObject({
    fiat_code: fiatCodeSchema,
    rate: nonNegativeNumericSchema
      .regex(/[1-9]/, 'must be greater than 0')
      .openapi({ description: 'What one unit of the custom currency costs in the fiat currency.' }),
    effective_from: instantSchema.optional().openapi({ description: 'In the future; left out: now.' }),
    effective_to: instantSchema
      .optional()
      .openapi({ description: 'Exclusive; left out: until another cost basis begins.' }),
  })
  .openapi('CreateCostBasisRequest');
export type CreateCostBasis = z.output<typeof createCostBasisSchema>;

export const costBasisSchema = z
  .strictObject({
    id: ulidSchema,
    fiat_code: z.string(),
    rate: z.string(),
    effective_from: dateTimeSchema.optional(),
    effective_to: dateTimeSchema.optional(),
    created_at: dateTimeSchema,
  })
  .openapi('CostBasis');
export type CostBasis = z.output<typeof costBasisSchema> & { effective_from: string };

export const costBasisPageSchema = z
  .strictObject({ data: z.array(costBasisSchema), meta: pageMetaSchema })
  .openapi('CostBasisPage');

export const customCurrencySchema = z
  .strictObject({
    type: z.literal('custom'),
    id: ulidSchema,
    code: z.string(),
    ...formatFields,
    created_at: dateTimeSchema,
    cost_basis: z.array(costBasisSchema).optional(),
  })
  .openapi('CurrencyCustom');
export type CustomCurrency = z.output<typeof customCurrencySchema>;

export const fiatCurrencySchema = z
  .strictObject({ type: z.literal('fiat'), code: z.string(), ...formatFields })
  .openapi('CurrencyFiat');
export type FiatCurrency = z.output<typeof fiatCurrencySchema>;

export const currencyPageSchema = z
  .strictObject({
    data: z.array(z.discriminatedUnion('type', [fiatCurrencySchema, customCurrencySchema])),
    meta: pageMetaSchema,
  })
  .openapi('CurrencyPage');

/** What the list of currencies can be sorted and filtered by. */
export type CurrencySortField = 'code' | 'name';
export type CurrencyFilterField = 'type' | 'code';
