/** What happens to an invoice when its quantities are taken. Runs inside the transaction of the step. */

import { RatingError } from '../../../catalog/rating/index.ts';
import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { largestOf, smallestOf } from '../../../platform/extremes.ts';
import type { NewId } from '../../../platform/ids.ts';
import { mapInSlices } from '../../../platform/in-slices.ts';
import { type Adjustment, rateAdjustment } from '../../adjustments/index.ts';
import {
  earlierParts,
  type Invoice,
  type InvoiceLine,
  isMetered,
  isMissing,
  quantityOfPart,
  type ReadQuantities,
  rateLine,
  totalsOf,
  type ValidationIssue,
} from '../../invoice-records/index.ts';
import type { Moving } from './moving.ts';
import { withTaxes } from './taxes.ts';

/** Sets the quantities of metered lines, and what earlier parts of their periods billed. @param known as of `earlierParts` */
export async function takeQuantities(
  scope: CustomerScope,
  moving: Moving,
  read: ReadQuantities,
  known?: ReadonlyMap<string, InvoiceLine>,
): Promise<Moving> {
  const { invoice, lines } = moving;
  const issues: ValidationIssue[] = [];
  const taken = await mapInSlices(lines, async (line) => {
    const measured = read.values.get(line.id);
    if (measured === undefined || line.deletedAtMs !== undefined) return line;
    if (isMissing(measured)) {
      issues.push(measured.issue);
      return line;
    }
    const earlier = await earlierParts(scope, line, known);
    return {
      ...line,
      quantity: quantityOfPart(measured.value, earlier.quantity),
      previousQuantity: earlier.quantity,
      previouslyBilledAmount: earlier.netAmount,
      previousMinimumAmount: earlier.minimumAmount,
      snapshottedAtMs: read.readAtMs,
      ...(measured.snapshot !== undefined && { snapshot: measured.snapshot }),
    };
  });
  return { ...moving, invoice: { ...invoice, issues, snapshottedAtMs: read.readAtMs }, lines: taken };
}

/** Rates all lines anew; what cannot be rated becomes an issue. Metered lines without a quantity stay unrated. */
export async function rateAll(moving: Moving, newId: NewId): Promise<Moving> {
  const { invoice, lines, currency } = moving;
  const issues = [...invoice.issues];
  const rated = await mapInSlices(lines, (line, index) => {
    const isUnknown = isMetered(line) && line.quantity === undefined;
    if (line.deletedAtMs !== undefined || line.kind === 'correction' || isUnknown) return line;
    try {
      return { ...line, rated: rateLine(line, currency, newId) };
    } catch (error) {
      if (!(error instanceof RatingError)) throw error;
      issues.push({
        code: error.code,
        message: `${line.name}: ${error.message}`,
        severity: 'critical',
        field: `lines/${index}/rate_card/price`,
      });
      return line;
    }
  });
  return withTotals({ ...moving, invoice: { ...invoice, issues }, lines: rated });
}

/** Taxes, totals and the period of the invoice, from its lines. */
export async function withTotals(untaxed: Moving): Promise<Moving> {
  const moving = await withTaxes(untaxed);
  const { invoice, lines, currency } = moving;
  const living = lines.filter((line) => line.deletedAtMs === undefined);
  const from = living.map((line) => line.servicePeriod.fromMs);
  const to = living.map((line) => line.servicePeriod.toMs);
  const servicePeriod =
    living.length === 0
      ? { fromMs: invoice.servicePeriod.fromMs, toMs: invoice.servicePeriod.fromMs }
      : { fromMs: smallestOf(from), toMs: largestOf(to) };
  return { ...moving, invoice: { ...invoice, totals: await totalsOf(lines, currency), servicePeriod } };
}

/** The line that an adjustment becomes. */
export function adjustmentLine(
  adjustment: Adjustment,
  context: { invoice: Pick<Invoice, 'id'>; position: number; nowMs: number; newId: NewId },
): InvoiceLine {
  const { nowMs, newId } = context;
  return {
    id: newId(),
    invoiceId: context.invoice.id,
    position: context.position,
    kind: 'correction',
    adjustmentId: adjustment.id,
    ...(adjustment.chargeId !== undefined && { chargeId: adjustment.chargeId }),
    controller: 'system',
    name: adjustment.name,
    description: adjustment.description,
    terms: { price: { type: 'flat', amount: adjustment.amount } },
    ...(adjustment.taxConfig !== undefined && { taxConfig: adjustment.taxConfig }),
    servicePeriod: adjustment.period,
    fullServicePeriod: adjustment.period,
    invoiceAtMs: nowMs,
    splitPosition: 'single',
    previousQuantity: '0',
    previouslyBilledAmount: '0',
    rated: rateAdjustment(adjustment, newId),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
