import type { Decimal } from '../../platform/decimal.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import type { Quantity } from './quantity.ts';

/** Units of a detailed line with what they cost. */
export interface PricedUnits {
  quantity: Quantity;
  /** Not rounded. */
  unitPrice: Decimal;
  /** Rounded to the currency. */
  price: Decimal;
  /** What the earlier parts of the period come to, rounded to the currency. */
  previousPrice: Decimal;
}

/**
 * What units of a part of a period cost: what the period comes to with them, rounded, less what it came to before, rounded.
 * All parts together then cost what the whole costs, to the cent. Each part rounded for itself would not: twelve times
 * half a yen is 6, and not 12.
 * The one place where a product becomes money.
 * @param previous units of the earlier parts in the same detailed line
 */
export function priceUnits(
  quantity: Quantity,
  previous: Quantity,
  unitPrice: Decimal,
  currency: Currency,
): PricedUnits {
  const previousPrice = roundMoney(previous.times(unitPrice), currency);
  const untilNow = roundMoney(previous.add(quantity).times(unitPrice), currency);
  return { quantity, unitPrice, price: untilNow.sub(previousPrice), previousPrice };
}
