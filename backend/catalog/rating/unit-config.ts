import { Decimal } from '../../platform/decimal.ts';
import { RatingError } from './errors.ts';
import { readNumber } from './numbers.ts';
import { Quantity } from './quantity.ts';
import type { UnitConfig } from './types.ts';

const ROUNDINGS = {
  ceiling: Decimal.ROUND_CEIL,
  floor: Decimal.ROUND_FLOOR,
  half_up: Decimal.ROUND_HALF_UP,
} as const;

/** The quantity in billing units, not rounded: what entitlement checks compare. */
export function convertPrecisely(quantity: Decimal, config: UnitConfig): Quantity {
  const factor = readNumber(config.conversion_factor, 'unit_config.conversion_factor');
  if (factor.lte(0)) throw new RatingError('invalid_number', 'unit_config.conversion_factor must be greater than zero');
  return config.operation === 'divide' ? new Quantity(quantity, factor) : new Quantity(quantity.mul(factor));
}

/** The quantity in billing units, rounded as the rate card says: what invoices bill. */
export function convertForInvoice(quantity: Decimal, config: UnitConfig): Quantity {
  const { rounding = 'none', precision = 0 } = config;
  const converted = convertPrecisely(quantity, config);
  if (rounding === 'none') return converted;
  return new Quantity(converted.times(new Decimal(1)).toDecimalPlaces(precision, ROUNDINGS[rounding]));
}
