import type { Price, PricingTerms, UnitConfig } from '../../backend/catalog/rating/index.ts';
import { fc } from '../support/property.ts';

/** Decimal texts from 0 to `max`, with up to `digits` digits after the point. */
export function decimals(max: number, digits: number): fc.Arbitrary<string> {
  const scale = 10n ** BigInt(digits);
  return fc.bigInt(0n, BigInt(max) * scale).map((scaled) => scaledText(scaled, digits));
}

export function scaledText(scaled: bigint, digits: number): string {
  const text = scaled.toString().padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export type PriceModel = Exclude<Price['type'], 'free' | 'flat'>;

export interface CardOptions {
  models: readonly PriceModel[];
  /** Digits after the point of prices, quantities and bounds, percentages. */
  priceDigits: number;
  quantityDigits: number;
  percentageDigits: number;
  unitConfig: fc.Arbitrary<UnitConfig | undefined>;
}

/** Rate cards of usage prices with every combination of tiers, discounts, commitments and unit conversion. */
export function cards(options: CardOptions): fc.Arbitrary<PricingTerms> {
  const commitment = fc.option(decimals(500, 2), { nil: undefined });
  return fc
    .record({
      price: fc.constantFrom(...options.models).chain((model) => prices(model, options)),
      bounds: fc.tuple(commitment, commitment),
      percentage: fc.option(decimals(100, options.percentageDigits), { nil: undefined }),
      usage: fc.option(decimals(30, options.quantityDigits), { nil: undefined }),
      unit_config: options.unitConfig,
    })
    .map(({ price, bounds, percentage, usage, unit_config }) => {
      const [minimum_amount, maximum_amount] = ordered(bounds);
      return { price, commitments: { minimum_amount, maximum_amount }, discounts: { percentage, usage }, unit_config };
    });
}

function prices(model: PriceModel, { priceDigits, quantityDigits }: CardOptions): fc.Arbitrary<Price> {
  const amount = decimals(20, priceDigits);
  switch (model) {
    case 'unit':
      return amount.map((text): Price => ({ type: 'unit', amount: text }));
    case 'graduated':
    case 'volume':
      return tiers(amount, quantityDigits).map((list): Price => ({ type: model, tiers: list }));
  }
}

function tiers(amount: fc.Arbitrary<string>, quantityDigits: number) {
  const parts = fc
    .record({ flat: fc.option(amount, { nil: undefined }), unit: fc.option(amount, { nil: undefined }) })
    .filter(({ flat, unit }) => flat !== undefined || unit !== undefined);
  const bound = fc.bigInt(1n, 50n * 10n ** BigInt(quantityDigits));
  return fc
    .uniqueArray(bound, { maxLength: 4 })
    .chain((bounds) =>
      fc
        .array(parts, { minLength: bounds.length + 1, maxLength: bounds.length + 1 })
        .map((list) => list.map((part, index) => ({ part, bound: bounds[index] }))),
    )
    .map((list) =>
      list.map(({ part, bound: upTo }) => ({
        up_to_amount: upTo === undefined ? undefined : scaledText(upTo, quantityDigits),
        flat_price: part.flat === undefined ? undefined : { type: 'flat' as const, amount: part.flat },
        unit_price: part.unit === undefined ? undefined : { type: 'unit' as const, amount: part.unit },
      })),
    );
}

function ordered([a, b]: [string | undefined, string | undefined]): [string | undefined, string | undefined] {
  if (a === undefined || b === undefined) return [a, b];
  return BigInt(a.replace('.', '')) <= BigInt(b.replace('.', '')) ? [a, b] : [b, a];
}
