import { Decimal } from '../../platform/decimal.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';
import type { UnitConfig } from './types.ts';

/**
 * Decimal places of a converted quantity. Quotients by every power of ten, and by two up to 2^50 (bytes to PiB), end
 * before the 50th place and stay exact. Others are cut there, to the nearest: two parts of a period whose sum is whole
 * then still add up to the whole, and a tier is not entered because of a digit that nobody used.
 */
export const MAX_QUANTITY_DIGITS = 50;

const ROUNDINGS = {
  ceiling: Decimal.ROUND_CEIL,
  floor: Decimal.ROUND_FLOOR,
  half_up: Decimal.ROUND_HALF_UP,
} as const;

/** The quantity in billing units, not rounded: what entitlement checks compare. */
export function convertPrecisely(quantity: Decimal, config: UnitConfig): Decimal {
  const converted = convert(quantity, config);
  return config.operation === 'divide'
    ? converted.toDecimalPlaces(MAX_QUANTITY_DIGITS, Decimal.ROUND_HALF_UP)
    : converted;
}

/** The quantity in billing units, rounded as the rate card says: what invoices bill. */
export function convertForInvoice(quantity: Decimal, config: UnitConfig): Decimal {
  const { rounding = 'none', precision = 0 } = config;
  if (rounding === 'none') return convertPrecisely(quantity, config);
  return convert(quantity, config).toDecimalPlaces(precision, ROUNDINGS[rounding]);
}

function convert(quantity: Decimal, config: UnitConfig): Decimal {
  const factor = readNumber(config.conversion_factor, 'unit_config.conversion_factor');
  if (factor.lte(0)) throw new RatingError('invalid_number', 'unit_config.conversion_factor must be greater than zero');
  return config.operation === 'divide' ? quantity.div(factor) : quantity.mul(factor);
}
