import { Decimal } from 'decimal.js';

// More digits than any product of two quantities has: what is metered is never rounded here.
const Exact = Decimal.clone({ precision: 80, toExpNeg: -1000, toExpPos: 1000, rounding: Decimal.ROUND_HALF_UP });

/** Decimal places of a quotient; a third of a minute is 0.333… to this many. */
const QUOTIENT_PLACES = 20;
/** Longer texts are no quantities; an exponent of a thousand digits must not be written out. */
const MAX_LENGTH = 64;
const MAX_EXPONENT = 60;

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,3}))?$/;
/** Suffixes of Kubernetes quantities (apimachinery, resource.Quantity). `E` is both exa and the exponent's mark. */
const SUFFIXES: Readonly<Record<string, string>> = {
  n: '1e-9',
  u: '1e-6',
  m: '1e-3',
  k: '1e3',
  M: '1e6',
  G: '1e9',
  T: '1e12',
  P: '1e15',
  E: '1e18',
  Ki: '1024',
  Mi: '1048576',
  Gi: '1073741824',
  Ti: '1099511627776',
  Pi: '1125899906842624',
  Ei: '1152921504606846976',
};

/** @throws TypeError when it is no decimal number */
function decimalOf(value: unknown): Decimal {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > MAX_LENGTH) throw new TypeError('is no decimal number');
  const [, digits, exponent = '0'] = NUMBER.exec(text) ?? [];
  if (digits === undefined || Math.abs(Number.parseInt(exponent, 10)) > MAX_EXPONENT) {
    throw new TypeError(`"${text}" is no decimal number`);
  }
  return new Exact(`${digits}e${exponent}`);
}

/** A Kubernetes quantity ("500m", "1Gi", "1e3", "0.5") as a decimal text in its base unit. @throws TypeError */
export function quantityOf(value: unknown): string {
  if (typeof value === 'number') return textOf(decimalOf(value));
  if (typeof value !== 'string' || value.length > MAX_LENGTH) throw new TypeError('is no quantity');
  if (NUMBER.test(value)) return textOf(decimalOf(value));
  const [, digits, suffix = ''] = /^([+-]?(?:\d+\.?\d*|\.\d+))([A-Za-z]{1,2})$/.exec(value) ?? [];
  const factor = Object.hasOwn(SUFFIXES, suffix) ? SUFFIXES[suffix] : undefined;
  if (digits === undefined || factor === undefined) throw new TypeError(`"${value}" is no quantity`);
  return textOf(new Exact(digits).times(factor));
}

export function sumOf(values: readonly unknown[]): string {
  return textOf(values.reduce<Decimal>((sum, value) => sum.plus(decimalOf(value)), new Exact(0)));
}

export function productOf(a: unknown, b: unknown): string {
  return textOf(decimalOf(a).times(decimalOf(b)));
}

/** To twenty places, rounded half away from zero. @throws TypeError when it divides by zero */
export function quotientOf(a: unknown, b: unknown): string {
  const divisor = decimalOf(b);
  if (divisor.isZero()) throw new TypeError('divides by zero');
  return textOf(decimalOf(a).div(divisor).toDecimalPlaces(QUOTIENT_PLACES, Decimal.ROUND_HALF_UP));
}

function textOf(value: Decimal): string {
  return value.toFixed();
}
