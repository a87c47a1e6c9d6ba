/**
 * What goes on an invoice: the parts of open charges that are due at an instant, and, with progressive billing, what
 * was used by then of those that are not. Pure: stored charges and an instant in, line drafts out.
 */

import { canSplit, splitPosition } from '../../catalog/rating/index.ts';
import { AGGREGATIONS, type Aggregation } from '../../metering/usage-store/index.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { toTextPeriod, truncateMs } from '../../platform/period/index.ts';
import { type Charge, isOpen } from '../charges/index.ts';
import type { InvoiceLine } from './types.ts';

/** A line that is still to be given an id and a place. */
export type LineDraft = Omit<
  InvoiceLine,
  'id' | 'invoiceId' | 'position' | 'createdAtMs' | 'updatedAtMs' | 'previousQuantity' | 'previouslyBilledAmount'
>;

export interface GatherOptions {
  /** Lines that fall due up to here, this instant included, are due. */
  cutoffMs: number;
  isProgressive: boolean;
  /** How the charge's feature is metered; undefined when it is not, or no more. */
  aggregationOf(charge: Charge): Aggregation | undefined;
}

/** The lines of an invoice made at the cutoff, by the time that they are for. */
export async function gatherLines(charges: readonly Charge[], options: GatherOptions): Promise<LineDraft[]> {
  const lines = await mapInSlices(charges.filter(isOpen), (charge) => lineOf(charge, options));
  return lines.filter((line) => line !== undefined).sort((a, b) => a.servicePeriod.fromMs - b.servicePeriod.fromMs);
}

function lineOf(charge: Charge, options: GatherOptions): LineDraft | undefined {
  const { cutoffMs } = options;
  const isDue = charge.invoiceAtMs <= cutoffMs;
  const { servicePeriod } = charge;
  if (charge.amount !== undefined) return isDue ? draftLine(charge, servicePeriod) : undefined;
  // A part may have been billed up to the end, or beyond, before it was known to be the end: the last one is empty then.
  const fromMs = Math.min(charge.billedToMs ?? servicePeriod.fromMs, servicePeriod.toMs);
  if (isDue) return draftLine(charge, { fromMs, toMs: servicePeriod.toMs });
  const toMs = Math.min(truncateMs(cutoffMs, 1000), servicePeriod.toMs);
  if (!options.isProgressive || toMs <= fromMs) return undefined;
  const aggregation = options.aggregationOf(charge);
  if (aggregation === undefined || !canSplit(charge.terms, AGGREGATIONS[aggregation])) return undefined;
  return { ...draftLine(charge, { fromMs, toMs }), invoiceAtMs: toMs };
}

/** The line of a charge for a part of its period, or the whole of it. */
export function draftLine(charge: Charge, servicePeriod: { fromMs: number; toMs: number }): LineDraft {
  const { name, description, labels, subscription, featureId, featureKey, terms, taxConfig } = charge;
  const isFlat = charge.amount !== undefined;
  return {
    kind: 'charge',
    chargeId: charge.id,
    // What a person has set on another part of the period is not set on this one.
    controller: charge.subscription === undefined ? charge.controller : 'system',
    name,
    ...(description !== undefined && { description }),
    ...(labels !== undefined && { labels }),
    ...(subscription !== undefined && { subscription }),
    ...(featureId !== undefined && { featureId }),
    ...(featureKey !== undefined && { featureKey }),
    terms: charge.amount === undefined ? terms : { ...terms, price: { type: 'flat', amount: charge.amount } },
    ...(taxConfig !== undefined && { taxConfig }),
    servicePeriod,
    fullServicePeriod: charge.servicePeriod,
    invoiceAtMs: charge.invoiceAtMs,
    splitPosition: isFlat ? 'single' : splitPosition(toTextPeriod(servicePeriod), toTextPeriod(charge.servicePeriod)),
  };
}
