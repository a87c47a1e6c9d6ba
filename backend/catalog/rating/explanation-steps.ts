/** The steps of a calculation in words. Each function knows one rule; none computes a result that it does not get. */
import { type Decimal, formatDecimal as text } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import type { PricedUnits } from './price-units.ts';
import { forShow, type Quantity } from './quantity.ts';
import type { ExplanationRule, ExplanationStep, UnitConfig } from './types.ts';

export function step(rule: ExplanationRule, sentence: string, result: Decimal | null): ExplanationStep {
  return { rule, text: sentence, result: result === null ? null : text(result) };
}

export function money(amount: Decimal, currency: Currency): string {
  return `${text(amount)} ${currency.code}`;
}

/**
 * quantity × unit price, and how that becomes money.
 * @param previous what the earlier parts of the period come to: a part is the rounded total so far, less that
 */
export function multiplicationSteps(
  rule: ExplanationRule,
  what: string,
  { quantity, unitPrice, price, previousPrice }: PricedUnits,
  currency: Currency,
): readonly ExplanationStep[] {
  const product = forShow(quantity.times(unitPrice));
  const first = step(
    rule,
    `${what}: ${words(quantity)} × ${money(unitPrice, currency)} = ${money(product, currency)}.`,
    product,
  );
  return [first, ...roundingSteps(product, { price, previousPrice }, currency)];
}

/** The rounding to the currency; no step when the amount can be paid as it is. */
export function roundingSteps(
  exact: Decimal,
  { price, previousPrice }: Pick<PricedUnits, 'price' | 'previousPrice'>,
  currency: Currency,
): readonly ExplanationStep[] {
  if (price.eq(exact)) return [];
  const rounded = `Rounded to ${currency.digits} decimal ${currency.digits === 1 ? 'place' : 'places'}, half away from zero`;
  const sentence = previousPrice.isZero()
    ? `${rounded}: ${money(price, currency)}.`
    : `${rounded}, the period comes to ${money(previousPrice.add(price), currency)} so far. ` +
      `${money(previousPrice, currency)} of it are of earlier parts: ${money(price, currency)}.`;
  return [step('rounding', sentence, price)];
}

const ROUNDING_WORDS = {
  none: 'not rounded',
  ceiling: 'rounded up',
  floor: 'rounded down',
  half_up: 'rounded',
} as const;

export function conversionStep(raw: Decimal, converted: Quantity, config: UnitConfig, whose: string): ExplanationStep {
  const sign = config.operation === 'divide' ? '÷' : '×';
  const { rounding = 'none', precision = 0, display_unit: unit } = config;
  const places = rounding === 'none' || precision === 0 ? '' : ` to ${precision} decimal places`;
  const sentence =
    `${whose} ${text(raw)} ${sign} ${config.conversion_factor}, ${ROUNDING_WORDS[rounding]}${places}, ` +
    `is ${words(converted)}${unit === undefined ? '' : ` ${unit}`}.`;
  return step('unit_conversion', sentence, converted.toDecimal());
}

export function freeUnitsStep(granted: Quantity, before: Quantity, taken: Quantity, left: Quantity): ExplanationStep {
  const earlier = before.isZero() ? '' : ` Earlier parts of the period took ${words(before)} of them.`;
  const sentence = `${words(granted)} units are free.${earlier} ${words(taken)} are taken here, ${words(left)} are billed.`;
  return step('free_units', sentence, left.toDecimal());
}

export function earlierUsageStep(previousQuantity: Quantity): ExplanationStep {
  const sentence = `Earlier parts of the period used ${words(previousQuantity)}; this part counts on from there.`;
  return step('earlier_usage', sentence, previousQuantity.toDecimal());
}

function words(quantity: Quantity): string {
  return text(quantity.toDecimal());
}
