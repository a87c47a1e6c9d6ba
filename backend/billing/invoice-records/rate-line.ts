import { type Credit, NO_TOTALS, netAmount, rate, sumTotals, type Totals } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import type { NewId } from '../../platform/ids.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import type { Currency } from '../../platform/money.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { InvoiceLine, StoredRating } from './types.ts';

type Rateable = Pick<
  InvoiceLine,
  | 'name'
  | 'terms'
  | 'quantity'
  | 'servicePeriod'
  | 'fullServicePeriod'
  | 'splitPosition'
  | 'previousQuantity'
  | 'previouslyBilledAmount'
  | 'previousMinimumAmount'
  | 'rated'
>;

/**
 * The money of a line from its quantity: invoices, previews and what-if questions all ask here.
 * @param credits what pays of it; all of that must be needed
 * @throws RatingError when the terms cannot be rated
 */
export function rateLine(
  line: Rateable,
  currency: Currency,
  newId: NewId,
  credits: readonly Credit[] = [],
): StoredRating {
  const rated = rate({
    name: line.name,
    currency,
    terms: line.terms,
    quantity: line.quantity ?? '0',
    credits,
    ...(line.splitPosition !== 'single' && {
      split: {
        position: line.splitPosition,
        previousQuantity: line.previousQuantity,
        previouslyBilledAmount: line.previouslyBilledAmount,
        previousMinimumAmount: line.previousMinimumAmount,
      },
    }),
    servicePeriod: toTextPeriod(line.servicePeriod),
    fullServicePeriod: toTextPeriod(line.fullServicePeriod),
  });
  const ids = new Map(line.rated?.detailedLines.map((detail) => [detail.childUniqueReferenceId, detail.id]));
  const detailedLines = rated.detailedLines.map((detail) => ({
    ...detail,
    id: ids.get(detail.childUniqueReferenceId) ?? newId(),
  }));
  return { ...rated, detailedLines };
}

/** Totals of an invoice: those of its living lines, rounded again. */
export async function totalsOf(lines: readonly InvoiceLine[], currency: Currency): Promise<Totals> {
  const living = lines.filter((line) => line.deletedAtMs === undefined);
  const parts = living.map((line) => line.rated?.totals ?? NO_TOTALS);
  // Sums of what is rounded are exact, so sums of sums are the same.
  return sumTotals(await mapInSlices(slicesOf(parts), (slice) => sumTotals(slice, currency)), currency);
}

/** Some milliseconds to add up sixteen of them. */
const LINES_AT_ONCE = 50;

/** What is to be paid before the taxes that are added. */
export function untaxed({ total, taxesExclusiveTotal }: Totals): string {
  return formatDecimal(new Decimal(total).sub(taxesExclusiveTotal));
}

function* slicesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += LINES_AT_ONCE) yield items.slice(start, start + LINES_AT_ONCE);
}

/** What a line counts for in the commitments of later parts of its period. */
export function netOf(line: Pick<InvoiceLine, 'rated'>): string {
  return line.rated === undefined ? '0' : netAmount(line.rated.totals);
}
