/** What a task about an invoice is: its state says what is to be done in the other system, and what comes of it moves it on. */
import {
  type Invoice,
  type InvoiceLine,
  invoiceRepository,
  lineRepository,
  transition,
} from '../../billing/invoice-records/index.ts';
import {
  DRAFT_SYNCED_AT,
  FINALIZED_AT,
  type InvoicesDeps,
  type Moving,
  moveInvoice,
} from '../../billing/invoices/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { noteEvent, notePayments } from '../invoice-payments/index.ts';
import { AppRefused } from './errors.ts';
import type { Journal } from './journal.ts';
import type { InvoiceWork, IssuedThere, PaymentApp, SeenThere, SyncedDraft } from './port.ts';
import type { Task } from './types.ts';

/** @returns when the invoice is to be looked at again; undefined: not any more */
export async function workOnInvoice(
  scope: Scope,
  deps: InvoicesDeps,
  app: PaymentApp,
  { task, journal }: { task: Task; journal: Journal },
): Promise<number | undefined> {
  const invoice = await invoiceRepository(scope).byId(task.subjectId);
  if (invoice === undefined) return undefined;
  const lines = (await lineRepository(scope).ofInvoice(invoice.id)).filter((line) => line.deletedAtMs === undefined);
  const work: InvoiceWork = { invoice, lines, journal, scope };
  switch (invoice.status) {
    case 'draft.syncing':
      await unlessRefused(deps, work, async () => {
        const synced = await app.upsertDraft(work);
        await move(deps, work, (moving) => withDraft(moving, synced, scope.clock.nowMs()));
      });
      return undefined;
    case 'issuing.syncing':
      await unlessRefused(deps, work, async () => {
        const issued = await app.finalize(work);
        await move(deps, work, (moving) => withIssue(moving, issued, scope.clock.nowMs()));
      });
      return undefined;
    case 'deleted':
    case 'voided':
      if (invoice.externalInvoicingId !== undefined) await app.close(work, invoice.status);
      return undefined;
    case 'uncollectible':
      if (task.kind === 'invoice') await app.close(work, 'uncollectible');
      break;
    default:
      if (transition(invoice.status, 'paid') === undefined) return undefined;
      if (task.kind === 'collect') await app.collect(work);
  }
  const isOpen = await follow(deps, work, await app.fetch(work));
  return isOpen ? scope.clock.nowMs() + app.lookEveryMs : undefined;
}

async function unlessRefused(deps: InvoicesDeps, work: InvoiceWork, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof AppRefused)) throw error;
    const { code, message, gone } = error;
    const issue = { code, message, severity: 'critical' as const };
    const change = ({ invoice, ...rest }: Moving) => ({
      ...rest,
      invoice: {
        ...(gone === undefined ? invoice : withoutDraft(invoice, gone)),
        issues: [...invoice.issues.filter((old) => old.code !== code), issue],
      },
    });
    const current = await invoiceRepository(work.scope).byId(work.invoice.id);
    if (current?.status === work.invoice.status)
      await moveInvoice(deps, work.scope, current.id, { trigger: 'failed', change });
  }
}

/** The next try makes another one there. */
function withoutDraft({ externalInvoicingId: _, ...invoice }: Invoice, gone: string): Invoice {
  return { ...invoice, metadata: { ...invoice.metadata, [GONE]: gone } };
}

/** Moves the invoice on, unless somebody has in between: then it is looked at anew. */
async function move(deps: InvoicesDeps, work: InvoiceWork, change: (moving: Moving) => Moving): Promise<void> {
  const { id, status } = work.invoice;
  await moveInvoice(deps, work.scope, id, {
    change: (moving) => (moving.invoice.status === status ? change(moving) : moving),
  });
}

function withDraft({ invoice, lines, ...rest }: Moving, { externalId, lineIds }: SyncedDraft, nowMs: number): Moving {
  return {
    ...rest,
    invoice: {
      ...invoice,
      externalInvoicingId: externalId,
      metadata: { ...invoice.metadata, [DRAFT_SYNCED_AT]: formatInstant(nowMs) },
    },
    lines: lines.map((line) => withIds(line, lineIds)),
  };
}

function withIds(line: InvoiceLine, ids: ReadonlyMap<string, string>): InvoiceLine {
  if (line.rated === undefined) return line;
  const detailedLines = line.rated.detailedLines.map((detail) => ({
    ...detail,
    ...defined({ externalId: ids.get(detail.id) }),
  }));
  return { ...line, ...defined({ externalId: ids.get(line.id) }), rated: { ...line.rated, detailedLines } };
}

function withIssue({ invoice, ...rest }: Moving, issued: IssuedThere, nowMs: number): Moving {
  const { number, externalPaymentId, sentAtMs, taxes } = issued;
  return {
    ...rest,
    invoice: {
      ...invoice,
      ...defined({ number, externalPaymentId, sentToCustomerAtMs: sentAtMs }),
      ...(taxes !== undefined && { totals: withTaxes(invoice.totals, taxes) }),
      metadata: { ...invoice.metadata, [FINALIZED_AT]: formatInstant(nowMs) },
    },
  };
}

/** Again with what was there before, should the same be told twice. */
function withTaxes(totals: Invoice['totals'], { exclusive, inclusive }: NonNullable<IssuedThere['taxes']>) {
  const net = new Decimal(totals.total).sub(totals.taxesExclusiveTotal);
  return {
    ...totals,
    taxesExclusiveTotal: exclusive,
    taxesInclusiveTotal: inclusive,
    taxesTotal: formatDecimal(new Decimal(exclusive).add(inclusive)),
    total: formatDecimal(net.add(exclusive)),
  };
}

/** The fact that an invoice there is not there any more. */
export const GONE = 'app/gone';

const TRIGGERS = {
  paid: 'paid',
  failed: 'failed',
  action_required: 'action_required',
  uncollectible: 'uncollectible',
  void: 'void',
} as const;

/** Has the invoice follow what was seen. @returns whether it still waits for something */
async function follow(deps: InvoicesDeps, work: InvoiceWork, seen: SeenThere): Promise<boolean> {
  const { scope, invoice } = work;
  return scope.transaction(async (scope) => {
    const current = await invoiceRepository(scope).byId(invoice.id);
    if (current === undefined) return false;
    await notePayments(current, seen.payments, scope);
    if (seen.outcome === 'gone') {
      await noteEvent(scope, current.id, {
        kind: 'app',
        text: 'The invoice is not there any more in the system of the app',
      });
      return false;
    }
    if (seen.outcome !== 'waiting' && current.status !== RESULTS[seen.outcome] && !isOldNews(current, seen)) {
      await moveAlong(deps, scope, current, TRIGGERS[seen.outcome]);
    }
    return seen.outcome !== 'paid' && seen.outcome !== 'void';
  });
}

/** An overdue invoice has failed before: that is no news. */
function isOldNews({ status }: Invoice, { outcome }: SeenThere): boolean {
  return status === 'overdue' && (outcome === 'failed' || outcome === 'action_required');
}

const RESULTS: Readonly<Record<keyof typeof TRIGGERS, string>> = {
  paid: 'paid',
  failed: 'payment_processing.failed',
  action_required: 'payment_processing.action_required',
  uncollectible: 'uncollectible',
  void: 'voided',
};

async function moveAlong(
  deps: InvoicesDeps,
  scope: Scope,
  invoice: Invoice,
  trigger: (typeof TRIGGERS)[keyof typeof TRIGGERS],
): Promise<void> {
  if (transition(invoice.status, trigger) !== undefined) {
    await moveInvoice(deps, scope, invoice.id, { trigger });
    return;
  }
  // What is overdue is given up before it is void.
  if (trigger === 'void' && transition(invoice.status, 'uncollectible') !== undefined) {
    await moveInvoice(deps, scope, invoice.id, { trigger: 'uncollectible' });
    await moveInvoice(deps, scope, invoice.id, { trigger });
    return;
  }
  if (trigger === 'failed' || trigger === 'action_required') return;
  await noteEvent(scope, invoice.id, {
    kind: 'app',
    text: `The system of the app says ${trigger}, which the invoice cannot become: look at both`,
  });
}
