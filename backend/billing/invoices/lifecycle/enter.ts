/** What happens when an invoice enters a state. */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { isZero } from '../../../platform/decimal-texts.ts';
import type { App } from '../../apps/index.ts';
import { chargeRepository } from '../../charges/index.ts';
import {
  type ExtendedStatus,
  type Invoice,
  invoiceRepository,
  isDraftNumber,
  isMetered,
  issuedNumber,
  nextNumber,
  profileNumbers,
  type ReadQuantities,
} from '../../invoice-records/index.ts';
import { attachAdjustments } from '../adjustments/attach.ts';
import type { InvoicesDeps } from '../deps.ts';
import { droppedLine } from '../edit.ts';
import { giveCreditsBack, payWithCredits } from '../pay-with-credits.ts';
import type { Rail } from '../rail.ts';
import type { Cuts } from '../read-cuts.ts';
import { rateAll, takeQuantities, withTotals } from './collect.ts';
import { DRAFT_SYNCED_AT } from './facts.ts';
import type { Moving } from './moving.ts';
import { withTaxIssue } from './tax-issue.ts';
import { draftUntilMs, dueAtMs } from './times.ts';

export interface EnterContext {
  scope: CustomerScope;
  nowMs: number;
  app: App | undefined;
  /** Of the invoice's app. */
  rail: Rail;
  deps: Pick<InvoicesDeps, 'documentOf' | 'storedProfile'>;
  isTaxEnforced: boolean;
  /** Read for `draft.collecting`. */
  quantities: ReadQuantities | undefined;
  /** Read with them. */
  cuts: Cuts | undefined;
}

/** @param moving the invoice with the state that it enters. May lead on to the state that an app decides. */
export async function enterState(moving: Moving, context: EnterContext): Promise<Moving> {
  const { invoice } = moving;
  switch (invoice.status) {
    case 'draft.collecting':
      return collect(moving, context);
    case 'draft.updating':
      return payWithCredits(
        context.scope,
        await rateAll({ ...moving, invoice: withoutDraftSync(invoice) }, context.scope.newId),
      );
    case 'draft.validating':
      return validate(moving, context);
    case 'issuing.syncing':
      return { ...moving, invoice: await issuing(withoutAppIssues(invoice), context) };
    case 'issued':
      await chargeRepository(context.scope).setIssued(chargesOf(moving), context.nowMs);
      return { ...moving, invoice: await withFinalNumber(invoice, context) };
    case 'payment_processing.pending':
      return isNothingLeft(invoice) ? withStatus(moving, 'paid') : settle(moving, context.rail);
    case 'voided':
      await giveCreditsBack(context.scope, moving);
      return moving;
    case 'deleted':
      await giveCreditsBack(context.scope, moving);
      return {
        ...moving,
        lines: moving.lines.map((line) => (line.deletedAtMs === undefined ? droppedLine(line, context.nowMs) : line)),
        invoice: deleted(invoice, context.nowMs),
      };
    default:
      return moving;
  }
}

/** Rates, and what the customer is for them, may be others than when the quantities were taken. */
async function validate(moving: Moving, { isTaxEnforced, rail }: EnterContext): Promise<Moving> {
  const taxed = await withTotals({ ...moving, invoice: withoutAppIssues(moving.invoice) });
  return { ...taxed, invoice: withTaxIssue(taxed, isTaxEnforced, rail) };
}

async function collect(moving: Moving, context: EnterContext): Promise<Moving> {
  if (context.quantities === undefined) throw new Error('quantities are taken without having been read');
  const taken = await rateAll(await takeQuantities(context.scope, moving, context.quantities), context.scope.newId);
  const attached = await attachAdjustments(context.scope, taken, { nowMs: context.nowMs, newId: context.scope.newId });
  const paid = await payWithCredits(context.scope, attached, context.cuts);
  const { invoice } = paid;
  const { invoicing } = invoice.workflow;
  const until = draftUntilMs(invoice.createdAtMs, invoice.collectionAtMs, invoicing);
  const { draftUntilMs: _, ...rest } = invoice;
  return { ...paid, invoice: until === undefined ? rest : { ...rest, draftUntilMs: until } };
}

/** Charges whose usage the invoice bills. */
function chargesOf({ lines }: Moving): string[] {
  const metered = lines.filter((line) => line.kind === 'charge' && line.deletedAtMs === undefined && isMetered(line));
  return metered.flatMap(({ chargeId }) => chargeId ?? []);
}

/** A draft that was changed has to be taken over by the external system again. */
function withoutDraftSync(invoice: Invoice): Invoice {
  const { [DRAFT_SYNCED_AT]: _, ...metadata } = invoice.metadata;
  return { ...invoice, metadata, issues: [] };
}

/** What the app could not do is tried again. */
function withoutAppIssues(invoice: Invoice): Invoice {
  return { ...invoice, issues: invoice.issues.filter(({ code }) => !code.startsWith(APP_ISSUE)) };
}

/** Codes of what apps report begin with it. */
const APP_ISSUE = 'app_';

/** From here on it says when it was issued, and its documents always say the same. */
async function issuing(invoice: Invoice, { scope, deps, nowMs }: EnterContext): Promise<Invoice> {
  const document = await deps.documentOf(invoice, scope);
  return { ...invoice, document, issuedAtMs: nowMs, dueAtMs: dueAtMs(nowMs, invoice.workflow.payment) };
}

/**
 * The number is given out with the state in which the invoice cannot be deleted any more, in one transaction: so no
 * number is missing. A number that the external system has given stays, also when it looks like one of ours: that one is
 * passed over.
 */
async function withFinalNumber(invoice: Invoice, { scope, deps, nowMs, rail }: EnterContext): Promise<Invoice> {
  if (!isDraftNumber(invoice.number)) return invoice;
  const { numbering } = await deps.storedProfile(invoice.profileId, scope);
  const series =
    numbering === undefined
      ? {
          scope: `invoices/app/${invoice.appType}` as const,
          numberOf: (count: number) => issuedNumber(rail.numberPrefix, invoice.customer.name, count),
        }
      : profileNumbers(numbering, invoice.issuedAtMs ?? nowMs);
  for (;;) {
    const number = series.numberOf(await nextNumber(scope, series.scope, numbering?.start));
    if (!(await invoiceRepository(scope).numberIsTaken(number))) return { ...invoice, number };
  }
}

function settle(moving: Moving, rail: Rail): Moving {
  const status = rail.settle(moving.invoice);
  return status === undefined ? moving : withStatus(moving, status);
}

/** Credit has paid for all of it. */
function isNothingLeft({ totals }: Invoice): boolean {
  return isZero(totals.total) && !isZero(totals.creditsTotal);
}

function withStatus(moving: Moving, status: ExtendedStatus): Moving {
  return { ...moving, invoice: { ...moving.invoice, status } };
}

function deleted(invoice: Invoice, nowMs: number): Invoice {
  return { ...invoice, deletedAtMs: nowMs };
}
