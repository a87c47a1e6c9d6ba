/** What the checks of terms, and of each price model, have in common. */
import type { Decimal } from '../../platform/decimal.ts';
import type { PricingProblem } from './errors.ts';
import { parseNumber } from './numbers.ts';

/** @param blocksRating default true; see PricingProblem */
export type Report = (rule: PricingProblem['rule'], field: string, message: string, blocksRating?: boolean) => void;

/** @returns the number, also one below zero, for further checks; undefined when it is none */
export function checkNotNegative(text: string, field: string, report: Report): Decimal | undefined {
  const value = parseNumber(text);
  if (value === undefined) report('invalid_number', field, 'must be a decimal number');
  else if (value.lt(0)) report('negative_number', field, 'must not be negative');
  return value;
}

export function checkPositive(text: string, field: string, report: Report): void {
  const value = parseNumber(text);
  if (value === undefined) report('invalid_number', field, 'must be a decimal number');
  else if (value.lte(0)) report('number_not_positive', field, 'must be greater than zero');
}
