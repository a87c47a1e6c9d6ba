import { Decimal, formatDecimal } from '../../../platform/decimal.ts';

/**
 * An exact number as roll-ups keep it: a JavaScript number while it is a safe integer, plain decimal text otherwise.
 * Sums of requests and tokens thus stay cheap, and no digit of anything else is lost.
 */
export type Figure = number | string;

export function toFigure(decimal: Decimal): Figure {
  const text = formatDecimal(decimal);
  const number = text.length <= 17 && !text.includes('.') ? Number.parseInt(text, 10) : Number.NaN;
  return Number.isSafeInteger(number) ? number : text;
}

export function addFigures(a: Figure, b: Figure): Figure {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return toFigure(new Decimal(a).plus(b));
}

export function lesserFigure(a: Figure, b: Figure): Figure {
  if (typeof a === 'number' && typeof b === 'number') return Math.min(a, b);
  return new Decimal(b).lessThan(a) ? b : a;
}

export function greaterFigure(a: Figure, b: Figure): Figure {
  if (typeof a === 'number' && typeof b === 'number') return Math.max(a, b);
  return new Decimal(b).greaterThan(a) ? b : a;
}

/** A figure for a statement: a JavaScript number would be stored as a float. */
export function figureParameter(figure: Figure | null): bigint | string | null {
  return typeof figure === 'number' ? BigInt(figure) : figure;
}
