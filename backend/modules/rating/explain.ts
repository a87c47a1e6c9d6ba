/** The steps of a calculation in words. Each function knows one rule; none computes a result that it does not get. */
import { type Decimal, formatDecimal as text } from '../../platform/decimal.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import type { ExplanationRule, ExplanationStep, UnitConfig } from './types.ts';

export function step(rule: ExplanationRule, sentence: string, result: Decimal | null): ExplanationStep {
  return { rule, text: sentence, result: result === null ? null : text(result) };
}

export function money(amount: Decimal, currency: Currency): string {
  return `${text(amount)} ${currency.code}`;
}

/** quantity × unit price, and the rounding when it changes the product. */
export function multiplicationSteps(
  rule: ExplanationRule,
  what: string,
  quantity: Decimal,
  unitPrice: Decimal,
  currency: Currency,
): readonly ExplanationStep[] {
  const product = unitPrice.mul(quantity);
  const first = step(
    rule,
    `${what}: ${text(quantity)} × ${money(unitPrice, currency)} = ${money(product, currency)}.`,
    product,
  );
  return [first, ...roundingSteps(product, currency)];
}

/** The rounding to the currency; no step when the amount can be paid as it is. */
export function roundingSteps(exact: Decimal, currency: Currency): readonly ExplanationStep[] {
  const rounded = roundMoney(exact, currency);
  if (rounded.eq(exact)) return [];
  const sentence =
    `Rounded to ${currency.digits} decimal ${currency.digits === 1 ? 'place' : 'places'}, ` +
    `half away from zero: ${money(rounded, currency)}.`;
  return [step('rounding', sentence, rounded)];
}

const ROUNDING_WORDS = {
  none: 'not rounded',
  ceiling: 'rounded up',
  floor: 'rounded down',
  half_up: 'rounded',
} as const;

export function conversionStep(raw: Decimal, converted: Decimal, config: UnitConfig, whose: string): ExplanationStep {
  const sign = config.operation === 'divide' ? '÷' : '×';
  const { rounding = 'none', precision = 0, display_unit: unit } = config;
  const places = rounding === 'none' || precision === 0 ? '' : ` to ${precision} decimal places`;
  const sentence =
    `${whose} ${text(raw)} ${sign} ${config.conversion_factor}, ${ROUNDING_WORDS[rounding]}${places}, ` +
    `is ${text(converted)}${unit === undefined ? '' : ` ${unit}`}.`;
  return step('unit_conversion', sentence, converted);
}

export function freeUnitsStep(freeUnits: Decimal, before: Decimal, taken: Decimal, left: Decimal): ExplanationStep {
  const earlier = before.isZero() ? '' : ` Earlier parts of the period took ${text(before)} of them.`;
  const sentence = `${text(freeUnits)} units are free.${earlier} ${text(taken)} are taken here, ${text(left)} are billed.`;
  return step('free_units', sentence, left);
}

export function earlierUsageStep(previousQuantity: Decimal): ExplanationStep {
  const sentence = `Earlier parts of the period used ${text(previousQuantity)}; this part counts on from there.`;
  return step('earlier_usage', sentence, previousQuantity);
}

/** "units above 5, up to 10": bounds are exclusive below and inclusive above. */
export function tierWords(lower: Decimal, upper: Decimal | undefined): string {
  if (upper === undefined) return lower.isZero() ? 'all units' : `units above ${text(lower)}`;
  return lower.isZero() ? `units up to ${text(upper)}` : `units above ${text(lower)}, up to ${text(upper)}`;
}
