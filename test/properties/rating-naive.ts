import type { PriceTier, PricingTerms } from '../../backend/catalog/rating/index.ts';

/**
 * A second, independent way to rate a whole period: it counts tenths of a unit one by one, in integers. Prices have up
 * to five digits, quantities and bounds one, percentages none, currencies two; there is no unit conversion.
 * Amounts are millionths of a dollar until they are rounded to cents.
 */
export function naiveCents(terms: PricingTerms, quantity: string): bigint {
  const lines = naiveLines(terms, tenths(quantity)).map((millionths) => cents(millionths));
  const percentage = BigInt(terms.discounts?.percentage ?? 0);
  let total = 0n;
  for (const line of lines) total += line - halfUp(line * percentage, 100n);
  const { minimum_amount: minimum, maximum_amount: maximum } = terms.commitments ?? {};
  if (maximum !== undefined && total > scaled(maximum, 2)) total = scaled(maximum, 2);
  if (minimum !== undefined && total < scaled(minimum, 2)) total = scaled(minimum, 2);
  return total;
}

/** The price of each detailed line, in millionths. */
function naiveLines({ price, discounts }: PricingTerms, used: bigint): bigint[] {
  const free = tenths(discounts?.usage ?? '0');
  const billed: bigint[] = [];
  for (let unit = free; unit < used; unit += 1n) billed.push(unit - free + 1n);
  switch (price.type) {
    case 'unit':
      return [billed.reduce((sum) => sum + perTenth(price.amount), 0n)];
    case 'volume': {
      const tier = tierOf(price.tiers, BigInt(billed.length));
      const units = billed.reduce((sum) => sum + perTenth(tier.unit_price?.amount ?? '0'), 0n);
      return [whole(tier.flat_price?.amount ?? '0'), units];
    }
    case 'graduated': {
      const byTier = new Map<PriceTier, bigint>([[tierOf(price.tiers, 0n), 0n]]);
      for (const unit of billed) {
        const tier = tierOf(price.tiers, unit);
        byTier.set(tier, (byTier.get(tier) ?? 0n) + perTenth(tier.unit_price?.amount ?? '0'));
      }
      return [...byTier].flatMap(([tier, units]) => [units, whole(tier.flat_price?.amount ?? '0')]);
    }
    default:
      throw new Error(`no usage price: ${price.type}`);
  }
}

/** The tier with the smallest bound that holds the unit; tiers may stand in any order. */
function tierOf(tiers: readonly PriceTier[], unit: bigint): PriceTier {
  let best: PriceTier | undefined;
  for (const tier of tiers) {
    if (tier.up_to_amount != null && tenths(tier.up_to_amount) < unit) continue;
    if (best === undefined || isBelow(tier, best)) best = tier;
  }
  if (best === undefined) throw new Error('no tier is open-ended');
  return best;
}

function isBelow(a: PriceTier, b: PriceTier): boolean {
  if (a.up_to_amount == null) return false;
  return b.up_to_amount == null || tenths(a.up_to_amount) < tenths(b.up_to_amount);
}

const tenths = (text: string) => scaled(text, 1);
const whole = (text: string) => scaled(text, 6);
const perTenth = (text: string) => scaled(text, 5);
const cents = (millionths: bigint) => halfUp(millionths, 10_000n);

/** For what is not negative, half away from zero is half up. */
function halfUp(value: bigint, divisor: bigint): bigint {
  return (value * 2n + divisor) / (divisor * 2n);
}

function scaled(text: string, digits: number): bigint {
  const [integer = '', fraction = ''] = text.split('.');
  if (fraction.slice(digits).replace(/0/g, '') !== '') throw new Error(`${text} has more than ${digits} digits`);
  return BigInt(integer + fraction.slice(0, digits).padEnd(digits, '0'));
}
