import { Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import type { LineDraft } from './context.ts';
import { readNumber } from './numbers.ts';
import type { Totals } from './types.ts';

/** What is left of a detailed line after the discounts and credits that it carries so far. */
export function leftOf(line: LineDraft, currency: Currency): Decimal {
  const { discounts, credits } = sumsOf(line, currency);
  return roundMoney(line.price.sub(discounts).sub(credits), currency);
}

/** Totals of one detailed line. A commitment counts as a charge, not as an amount. */
export function lineTotals(line: LineDraft, currency: Currency): Totals {
  const price = formatDecimal(line.price);
  const { discounts, credits } = sumsOf(line, currency);
  const isCommitment = line.category === 'commitment';
  return {
    amount: isCommitment ? '0' : price,
    chargesTotal: isCommitment ? price : '0',
    discountsTotal: formatDecimal(discounts),
    creditsTotal: formatDecimal(credits),
    taxesTotal: '0',
    taxesInclusiveTotal: '0',
    taxesExclusiveTotal: '0',
    total: formatDecimal(leftOf(line, currency)),
  };
}

/**
 * Totals of several detailed lines, or of several lines: each sum rounded again.
 * Source: OpenMeter openmeter/billing/totals.
 */
export function sumTotals(parts: readonly Totals[], currency: Currency): Totals {
  const sumOf = (field: keyof Totals) =>
    formatDecimal(roundMoney(sumDecimals(parts.map((part) => readNumber(part[field], field))), currency));
  return {
    amount: sumOf('amount'),
    chargesTotal: sumOf('chargesTotal'),
    discountsTotal: sumOf('discountsTotal'),
    creditsTotal: sumOf('creditsTotal'),
    taxesTotal: sumOf('taxesTotal'),
    taxesInclusiveTotal: sumOf('taxesInclusiveTotal'),
    taxesExclusiveTotal: sumOf('taxesExclusiveTotal'),
    total: sumOf('total'),
  };
}

/**
 * What a line costs before taxes and before credits: amount + charges − discounts. This is what counts as billed for
 * the commitments of later parts of the period: a spend that was paid with credits is a spend.
 */
export function netAmount(totals: Totals): string {
  const read = (field: 'amount' | 'chargesTotal' | 'discountsTotal') => readNumber(totals[field], field);
  return formatDecimal(read('amount').add(read('chargesTotal')).sub(read('discountsTotal')));
}

function sumsOf(line: LineDraft, currency: Currency): { discounts: Decimal; credits: Decimal } {
  return {
    discounts: roundMoney(Decimal.sum(ZERO, ...line.discounts.map(({ amount }) => amount)), currency),
    credits: roundMoney(Decimal.sum(ZERO, ...line.credits.map(({ amount }) => amount)), currency),
  };
}
