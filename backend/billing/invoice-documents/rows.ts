/**
 * Only types are imported of other modules: the thread that makes documents has little memory, and needs none of their code.
 * Lines of an invoice as rows of its document: quantities with their units, tiers in words.
 */
import type { Price, PriceTier, Totals } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { isZero } from '../../platform/decimal-texts.ts';
import type { InvoiceLine, StoredRating } from '../invoice-records/index.ts';
import type { Formats } from './formats.ts';
import { filled, type Words } from './words/index.ts';

export interface Row {
  name: string;
  /** Texts of their own: each may be written in another direction. */
  details: string[];
  quantity: string;
  unitPrice: string;
  amount: string;
  /** A part of the line above it. */
  isDetail: boolean;
}

/** What is to be paid before the taxes that are added. */
export function untaxed({ total, taxesExclusiveTotal }: Totals): string {
  return formatDecimal(new Decimal(total).sub(taxesExclusiveTotal));
}

type Detail = StoredRating['detailedLines'][number];

/** Amounts are those before the taxes that are added. */
export function rowsOf(line: InvoiceLine, formats: Formats, words: Words): Row[] {
  const { rated } = line;
  const details = rated?.detailedLines ?? [];
  const [only] = details;
  const single = details.length === 1 ? only : undefined;
  const tier = single && tierOf(single, line, formats, words);
  const said = [
    formats.period(line.servicePeriod.fromMs, line.servicePeriod.toMs),
    usageText(line, single === undefined, formats),
    tier ?? '',
    single === undefined ? '' : discountText(single, formats, words),
    line.description ?? '',
    deducted(words.credits, rated?.totals.creditsTotal ?? '0', formats),
  ];
  return [
    {
      name: line.name,
      details: said.filter((text) => text !== ''),
      quantity: single === undefined ? '' : formats.number(single.quantity),
      unitPrice: single === undefined ? '' : formats.money(single.unitPrice),
      amount: formats.money(rated === undefined ? '0' : untaxed(rated.totals)),
      isDetail: false,
    },
    ...(single === undefined ? details : []).map((detail): Row => {
      const discount = discountText(detail, formats, words);
      return {
        name: tierOf(detail, line, formats, words) ?? detail.name,
        details: discount === '' ? [] : [discount],
        quantity: formats.number(detail.quantity),
        unitPrice: formats.money(detail.unitPrice),
        amount: formats.money(untaxed(detail.totals)),
        isDetail: true,
      };
    }),
  ];
}

function discountText({ totals }: Detail, formats: Formats, words: Words): string {
  return deducted(words.discount, totals.discountsTotal, formats);
}

/** "Discount -$5.00"; '' where nothing is taken off. */
function deducted(label: string, amount: string, { money }: Formats): string {
  return isZero(amount) ? '' : `${label} ${money(formatDecimal(new Decimal(amount).neg()))}`;
}

/**
 * What was used, in the meter's unit and in that of the price: "349,418 llm tokens, 350 × 1,000", "1,500 MB, 1.5 GB".
 * @param isWanted also where both are the same
 */
function usageText(line: InvoiceLine, isWanted: boolean, { number }: Formats): string {
  const { rated, terms, featureKey = '' } = line;
  const isMetered = terms.price.type !== 'flat' && terms.price.type !== 'free';
  if (rated === undefined || line.kind === 'correction' || !isMetered) return '';
  const used = `${number(rated.rawQuantity)} ${featureKey.replaceAll('_', ' ')}`.trim();
  const unit = terms.unit_config;
  if (unit === undefined || unit === null) return isWanted && !isZero(rated.rawQuantity) ? used : '';
  const billed = number(rated.invoicedQuantity);
  if (rated.displayUnit !== undefined) return `${used}, ${billed} ${rated.displayUnit}`;
  return unit.operation === 'divide' ? `${used}, ${billed} × ${number(unit.conversion_factor)}` : `${used}, ${billed}`;
}

const TIER = /-tiered-(\d+)-(price-usage|flat-price)$/;

/** "over 1,000 up to 5,000"; undefined: the detailed line is not of a tier. */
function tierOf(
  { childUniqueReferenceId, category }: Detail,
  { terms }: InvoiceLine,
  { number }: Formats,
  words: Words,
): string | undefined {
  if (category === 'commitment') return words.minimumSpend;
  const [, position, kind] = TIER.exec(childUniqueReferenceId) ?? [];
  if (position === undefined) return undefined;
  const tiers = tiersOf(terms.price);
  const at = tiers.findIndex((_, index) => `${index + 1}` === position);
  if (at === -1) return undefined;
  const [from, to] = [tiers[at - 1]?.up_to_amount, tiers[at]?.up_to_amount];
  const text = from === undefined ? words.upTo : to === undefined ? words.over : words.between;
  const isOnly = from === undefined && to === undefined;
  const bounds = isOnly ? '' : filled(text, { from: number(from ?? '0'), to: number(to ?? '0') });
  return [kind === 'flat-price' ? words.flatFee : '', bounds].filter((part) => part !== '').join(', ');
}

/** In ascending order, the open-ended one last. */
function tiersOf(price: Price): PriceTier[] {
  if (price.type !== 'graduated' && price.type !== 'volume') return [];
  return price.tiers.toSorted((a, b) => {
    if (a.up_to_amount === undefined || b.up_to_amount === undefined) return a.up_to_amount === undefined ? 1 : -1;
    return new Decimal(a.up_to_amount).cmp(b.up_to_amount);
  });
}
