import type { PriceTier, PricingTerms, UnitConfig } from '../../backend/catalog/rating/index.ts';

/**
 * A second, independent way to rate a whole period, in fractions of integers: it knows no decimal arithmetic and no parts.
 * Any prices, quantities and conversions; amounts are in the smallest unit of a currency with `digits` digits.
 */
export function exactUnits(terms: PricingTerms, metered: string, digits: number): bigint {
  const units = 10n ** BigInt(digits);
  const percentage = fraction(String(terms.discounts?.percentage ?? '0'));
  let total = 0n;
  for (const price of linesOf(terms, billed(terms, fraction(metered)))) {
    const line = rounded(times(price, { n: units, d: 1n }));
    total += line - rounded({ n: line * percentage.n, d: percentage.d * 100n });
  }
  const { minimum_amount: minimum, maximum_amount: maximum } = terms.commitments ?? {};
  const inUnits = (text: string) => times(fraction(text), { n: units, d: 1n });
  // A commitment may have more digits than the currency: what is taken off, or added, is rounded.
  if (maximum !== undefined) total -= rounded(notBelowZero(minus({ n: total, d: 1n }, inUnits(maximum))));
  if (minimum !== undefined) total += rounded(notBelowZero(minus(inUnits(minimum), { n: total, d: 1n })));
  return total;
}

/** d is greater than zero. */
interface Fraction {
  n: bigint;
  d: bigint;
}

const NOTHING: Fraction = { n: 0n, d: 1n };

function fraction(text: string): Fraction {
  const [, sign = '', integer = '', decimals = ''] = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text) ?? [];
  return { n: BigInt(`${sign}${integer}${decimals}`), d: 10n ** BigInt(decimals.length) };
}

const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
const minus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
const isLess = (a: Fraction, b: Fraction): boolean => a.n * b.d < b.n * a.d;
const notBelowZero = (a: Fraction): Fraction => (a.n < 0n ? NOTHING : a);

/** Half up, of what is not negative. */
function rounded({ n, d }: Fraction): bigint {
  return (2n * n + d) / (2n * d);
}

/** What is billed of a metered quantity: nothing below zero, converted, without the free units. */
function billed({ unit_config, discounts }: PricingTerms, metered: Fraction): Fraction {
  const converted = unit_config ? convert(notBelowZero(metered), unit_config) : notBelowZero(metered);
  return notBelowZero(minus(converted, fraction(discounts?.usage ?? '0')));
}

function convert(quantity: Fraction, { operation, conversion_factor, rounding, precision = 0 }: UnitConfig): Fraction {
  const factor = fraction(conversion_factor);
  const exact = times(quantity, operation === 'multiply' ? factor : { n: factor.d, d: factor.n });
  if (rounding === undefined || rounding === 'none') return exact;
  const scale = 10n ** BigInt(precision);
  const { n, d } = times(exact, { n: scale, d: 1n });
  if (rounding === 'half_up') return { n: rounded({ n, d }), d: scale };
  return { n: rounding === 'ceiling' ? begun({ n, d }) : n / d, d: scale };
}

/** The smallest integer that is not below the fraction. */
const begun = ({ n, d }: Fraction): bigint => (n + d - 1n) / d;

/** What each line costs, not rounded. */
function linesOf({ price }: PricingTerms, quantity: Fraction): Fraction[] {
  switch (price.type) {
    case 'unit':
      return [times(quantity, fraction(price.amount))];
    case 'volume': {
      const tier = ascending(price.tiers).find(({ upTo }) => upTo === undefined || !isLess(upTo, quantity));
      return tier === undefined ? [] : [tier.flat, times(quantity, tier.unit)];
    }
    case 'graduated': {
      const lines: Fraction[] = [];
      let lower = NOTHING;
      for (const { upTo, flat, unit } of ascending(price.tiers)) {
        if (lower.n > 0n && !isLess(lower, quantity)) break;
        const until = upTo !== undefined && isLess(upTo, quantity) ? upTo : quantity;
        lines.push(flat, times(minus(until, lower), unit));
        if (upTo === undefined) break;
        lower = upTo;
      }
      return lines;
    }
    default:
      throw new Error(`no usage price: ${price.type}`);
  }
}

function ascending(tiers: readonly PriceTier[]) {
  const read = tiers.map(({ up_to_amount, flat_price, unit_price }) => ({
    upTo: up_to_amount == null ? undefined : fraction(up_to_amount),
    flat: fraction(flat_price?.amount ?? '0'),
    unit: fraction(unit_price?.amount ?? '0'),
  }));
  return read.sort((a, b) => {
    if (a.upTo === undefined || b.upTo === undefined) return a.upTo === undefined ? 1 : -1;
    return isLess(a.upTo, b.upTo) ? -1 : 1;
  });
}
