import {
  type Price,
  type PriceTier,
  type PricingTerms,
  type RatedLine,
  type RateInput,
  RatingError,
  rate,
  type Split,
} from '../../../backend/catalog/rating/index.ts';
import { fiatCurrency } from '../../../backend/platform/currencies.ts';
import type { Currency } from '../../../backend/platform/money.ts';

export const USD = fiat('USD');
export const JPY = fiat('JPY');

export const unit = (amount: string): Price => ({ type: 'unit', amount });

/** A tier from "5", "100", "0.1": upper bound, flat price, unit price; null for what it has not. */
export function tier(upTo: string | null, flat: string | null, unitAmount: string | null): PriceTier {
  return {
    up_to_amount: upTo ?? undefined,
    flat_price: flat === null ? undefined : { type: 'flat', amount: flat },
    unit_price: unitAmount === null ? undefined : { type: 'unit', amount: unitAmount },
  };
}

export const graduated = (...tiers: PriceTier[]): Price => ({ type: 'graduated', tiers });
export const volume = (...tiers: PriceTier[]): Price => ({ type: 'volume', tiers });

export function part(position: Split['position'], previousQuantity = '0', previouslyBilledAmount = '0'): Split {
  return { position, previousQuantity, previouslyBilledAmount };
}

/** Rates a line named "api" in USD. */
export function rateUsd(terms: PricingTerms, quantity: string, more: Partial<RateInput> = {}): RatedLine {
  return rate({ name: 'api', currency: USD, terms, quantity, ...more });
}

/** Detailed lines in short: "reference quantity×unit price=total". */
export function brief(rated: RatedLine): string[] {
  return rated.detailedLines.map(
    (line) => `${line.childUniqueReferenceId} ${line.quantity}×${line.unitPrice}=${line.totals.total}`,
  );
}

/** What goes wrong; fails when nothing does. */
export function errorOf(run: () => unknown): RatingError {
  try {
    run();
  } catch (error) {
    if (error instanceof RatingError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

function fiat(code: string): Currency {
  const currency = fiatCurrency(code);
  if (currency === undefined) throw new Error(`unknown currency ${code}`);
  return currency;
}
