/**
 * Credit pays the lines of an invoice: after discounts, before taxes, line by line in their order, and no more than the
 * invoice comes to with what is given back on it.
 */
import { chargesUsage } from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import type { NewId } from '../../platform/ids.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { payAdjustment } from '../adjustments/index.ts';
import { chargeRepository } from '../charges/index.ts';
import {
  type CreditUse,
  type CreditUses,
  drawCredits,
  type Payable,
  type PayableRun,
  purchasesAmong,
  releaseRuns,
} from '../credits/index.ts';
import { type InvoiceLine, netOf, rateLine } from '../invoice-records/index.ts';
import { withTotals } from './lifecycle/collect.ts';
import type { Moving } from './lifecycle/moving.ts';
import { type Cuts, cutTotals } from './read-cuts.ts';

/** Draws credit for the invoice as it is rated now. Runs inside the transaction that stores it. */
export async function payWithCredits(scope: CustomerScope, moving: Moving, cuts: Cuts = new Map()): Promise<Moving> {
  const uses = await drawCredits(scope, moving.currency, await payableOf(scope, moving, cuts), reasonOf(moving));
  return withCreditUses(moving, uses, scope.newId);
}

/** An invoice that does not stand any more gives its credit back; what it said stays as it was. */
export async function giveCreditsBack(scope: CustomerScope, moving: Moving): Promise<void> {
  const living = moving.lines.filter((line) => line.deletedAtMs === undefined);
  await releaseRuns(scope, moving.currency, living.map(runOf), reasonOf(moving));
}

/** So do lines that are taken off, before what is left is paid. */
export async function giveBackOfDropped(scope: CustomerScope, before: Moving, after: Moving): Promise<void> {
  const dropped = new Set(after.lines.flatMap((line) => (line.deletedAtMs === undefined ? [] : [line.id])));
  const lines = before.lines.filter((line) => line.deletedAtMs === undefined && dropped.has(line.id));
  await releaseRuns(scope, before.currency, lines.map(runOf), `${reasonOf(before)}:dropped`);
}

/** What of an invoice draws credit as one. */
export function runOf({ id }: Pick<InvoiceLine, 'id'>): string {
  return id;
}

/** Each version of an invoice enters a state once. */
function reasonOf({ invoice }: Moving): string {
  return `invoice:${invoice.id}:${invoice.version}:${invoice.status}`;
}

/** What credit may pay of an invoice. A correction that went off it gives back what it drew. */
export async function payableOf(
  scope: CustomerScope,
  { lines: all, currency }: Pick<Moving, 'lines' | 'currency'>,
  cuts: Cuts = new Map(),
): Promise<Payable> {
  const bought = await purchasesAmong(
    scope,
    all.flatMap(({ chargeId }) => chargeId ?? []),
  );
  // Credit never buys credit.
  const payable = all.filter(({ chargeId = '' }) => !bought.has(chargeId));
  const lines = payable.filter(({ kind, deletedAtMs }) => deletedAtMs === undefined || kind === 'correction');
  const features = await featuresOfCorrections(scope, lines);
  const totals = lines.map((line) => (line.deletedAtMs === undefined ? new Decimal(netOf(line)) : ZERO));
  const runs = lines.map(
    (line, index): PayableRun => ({
      id: runOf(line),
      name: line.name,
      labels: labelsOf(line),
      feature: line.featureKey ?? features.get(line.chargeId ?? ''),
      total: totals[index] ?? ZERO,
      mode: 'credit_then_invoice',
      asOfMs: asOfMs(line),
      cuts: cutTotals(line, cuts, currency),
    }),
  );
  return { runs, limit: sumDecimals(totals) };
}

/** The line of a correction does not say what it is for; its charge does. */
async function featuresOfCorrections(
  scope: CustomerScope,
  lines: readonly InvoiceLine[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const ids = lines.flatMap(({ kind, chargeId }) =>
    kind === 'correction' && chargeId !== undefined ? [chargeId] : [],
  );
  const charges = ids.length === 0 ? [] : await chargeRepository(scope).byIds([...new Set(ids)]);
  return new Map(charges.map(({ id, featureKey }) => [id, featureKey]));
}

/** Usage sees the credit at the end of its period, a fee that at the instant at which it is billed. */
function asOfMs({ kind, terms, servicePeriod, invoiceAtMs }: InvoiceLine): number {
  return kind === 'correction' || chargesUsage(terms.price) ? servicePeriod.toMs : invoiceAtMs;
}

function labelsOf({ invoiceId, chargeId, subscription }: InvoiceLine): Record<string, string> {
  return defined({
    invoice_id: invoiceId,
    charge_id: chargeId,
    subscription_id: subscription?.id,
    subscription_phase_id: subscription?.phaseId,
    subscription_item_id: subscription?.itemId,
  });
}

/** The invoice with what credit pays of its lines. */
export async function withCreditUses(moving: Moving, uses: CreditUses, newId: NewId): Promise<Moving> {
  const lines = await mapInSlices(moving.lines, (line) => paidLine(moving, line, uses.get(runOf(line)) ?? [], newId));
  return withTotals({ ...moving, lines });
}

function paidLine({ currency }: Moving, line: InvoiceLine, uses: readonly CreditUse[], newId: NewId): InvoiceLine {
  const { rated } = line;
  if (line.deletedAtMs !== undefined || rated === undefined) return line;
  if (uses.length === 0 && new Decimal(rated.totals.creditsTotal).isZero()) return line;
  const paid = line.kind === 'correction' ? payAdjustment(rated, uses) : rateLine(line, currency, newId, uses);
  return { ...line, rated: paid };
}
