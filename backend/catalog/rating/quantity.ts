import { Decimal, ZERO } from '../../platform/decimal.ts';

/**
 * Decimal places with which a quantity is written that has no end. Quotients by every power of ten, and by two up to
 * 2^50 (bytes to PiB), end before the 50th place; the others are cut there, to the nearest, and only in what is shown.
 */
export const MAX_QUANTITY_DIGITS = 50;

const ONE = new Decimal(1);

/**
 * A quantity of billing units, exact. A conversion that divides keeps its divisor: 20 seconds are 20/60 minutes, and at
 * 0.015 a minute they cost 0.005, which is rounded up. As decimal text 20/60 would be a little less, and so would be what
 * it costs.
 */
export class Quantity {
  static readonly ZERO: Quantity = new Quantity(ZERO);
  readonly #numerator: Decimal;
  /** Greater than zero. */
  readonly #denominator: Decimal;

  constructor(numerator: Decimal, denominator: Decimal = ONE) {
    this.#numerator = numerator;
    this.#denominator = denominator;
  }

  static min(a: Quantity, b: Quantity): Quantity {
    return a.lt(b) ? a : b;
  }

  static max(a: Quantity, b: Quantity): Quantity {
    return a.lt(b) ? b : a;
  }

  add(other: Quantity): Quantity {
    const [own, others, denominator] = this.#alike(other);
    return new Quantity(own.add(others), denominator);
  }

  sub(other: Quantity): Quantity {
    const [own, others, denominator] = this.#alike(other);
    return new Quantity(own.sub(others), denominator);
  }

  lt(other: Quantity): boolean {
    const [own, others] = this.#alike(other);
    return own.lt(others);
  }

  lte(other: Quantity): boolean {
    return !other.lt(this);
  }

  gt(other: Quantity): boolean {
    return other.lt(this);
  }

  isZero(): boolean {
    return this.#numerator.isZero();
  }

  /** What the quantity costs at a price for each unit. Multiplied before divided: half a cent stays half a cent. */
  times(price: Decimal): Decimal {
    return this.#numerator.mul(price).div(this.#denominator);
  }

  /** For what is shown. */
  toDecimal(): Decimal {
    return forShow(this.#numerator.div(this.#denominator));
  }

  /** The numerators over one denominator. */
  #alike(other: Quantity): [own: Decimal, others: Decimal, denominator: Decimal] {
    const [a, b] = [this.#denominator, other.#denominator];
    if (a.eq(b)) return [this.#numerator, other.#numerator, a];
    return [this.#numerator.mul(b), other.#numerator.mul(a), a.mul(b)];
  }
}

/** A number that may have no end, as it is written down. */
export function forShow(value: Decimal): Decimal {
  return value.toDecimalPlaces(MAX_QUANTITY_DIGITS, Decimal.ROUND_HALF_UP);
}
