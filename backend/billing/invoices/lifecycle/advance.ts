/** Moves invoices through their life: each call is one transaction, so that a process that is killed leaves no half step. */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { customerScope } from '../../../customers/test-clocks/index.ts';
import type { Scope } from '../../../platform/scope.ts';
import { correctUsageOfCustomer } from '../../adjustments/index.ts';
import { chargeRepository, currencyOf } from '../../charges/index.ts';
import {
  type ExtendedStatus,
  type Invoice,
  invoiceRepository,
  lineRepository,
  nextStatus,
  type ReadQuantities,
  readQuantities,
  type Trigger,
  transition,
  waitsForEarlierPart,
} from '../../invoice-records/index.ts';
import { adjustmentsFollow } from '../adjustments/follow-invoice.ts';
import { chargesFollow } from '../charges-follow.ts';
import { creditPurchasesFollow } from '../credit-purchases.ts';
import type { InvoicesDeps } from '../deps.ts';
import { invoiceChangedMeanwhile, invoiceNotFound, invoiceNumberTaken, invoiceProblem } from '../errors.ts';
import { giveBackOfDropped } from '../pay-with-credits.ts';
import type { Rail } from '../rail.ts';
import { type Cuts, readCuts } from '../read-cuts.ts';
import { enterState } from './enter.ts';
import { factsOf, hasLiving, passesCollecting, wakeAtMs } from './facts.ts';
import { type LetOff, readLetOff, withLetOff } from './let-off.ts';
import type { Moving } from './moving.ts';
import { taxRulesOf } from './taxes.ts';

/** What is to happen to an invoice. */
export interface Move {
  /** undefined: only the automatic steps, the overdue date among them. */
  trigger?: Exclude<Trigger, 'next'>;
  /** Changes the invoice before the first step. Called again when somebody else has changed it in between. */
  change?: (moving: Moving) => Promise<Moving> | Moving;
}

/** A request and a job may meet on one invoice; more in a row are not plausible. */
const MAX_ATTEMPTS = 5;

/**
 * Moves an invoice as far as it goes now.
 * @throws RequestProblem 404
 * @throws DomainProblem 400 `invoice_action_not_available` when the trigger is not possible, 409 when others keep
 * changing the invoice
 */
export async function moveInvoice(deps: InvoicesDeps, root: Scope, id: string, move: Move = {}): Promise<Invoice> {
  const known = await invoiceRepository(root).byId(id);
  if (known === undefined) throw invoiceNotFound(id);
  const scope = await customerScope(root, known.customerId);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const read = await readIfCollecting(deps, scope, id, move);
    const moved = await scope.transaction((scope) => moveWithin(scope, deps, id, move, read));
    if (moved !== undefined) return moved;
  }
  throw invoiceChangedMeanwhile(id);
}

interface ReadBefore {
  /** As stored. */
  before: Moving;
  /** With the change. */
  start: Moving;
  quantities: ReadQuantities | undefined;
  cuts: Cuts | undefined;
  /** What goes with lines that are taken off. */
  letOff: LetOff;
}

/** Usage is read outside the transaction, which would otherwise hold up everybody else. */
async function readIfCollecting(deps: InvoicesDeps, scope: CustomerScope, id: string, move: Move): Promise<ReadBefore> {
  const invoice = await invoiceRepository(scope).byId(id);
  if (invoice === undefined) throw invoiceNotFound(id);
  const currency = await currencyOf(deps, invoice.currency, scope);
  const taxes = await taxRulesOf(deps, scope, invoice);
  const before = { invoice, lines: await lineRepository(scope).ofInvoice(id), currency, taxes };
  const start = move.change === undefined ? before : await move.change(before);
  const app = await deps.findApp(invoice.appId, scope);
  const nowMs = scope.clock.nowMs();
  const facts = factsOf(start.invoice, hasLiving(start.lines), { rail: deps.rails[invoice.appType], app, nowMs });
  const first =
    move.trigger === undefined ? nextStatus(invoice.status, facts) : transition(invoice.status, move.trigger);
  const isCollecting = first !== undefined && passesCollecting(first, facts);
  const kept = move.trigger === 'delete' ? [] : start.lines.filter(({ deletedAtMs }) => deletedAtMs === undefined);
  const letOff = await readLetOff(deps, scope, invoice, before.lines, new Set(kept.map((line) => line.id)));
  if (!isCollecting) return { before, start, quantities: undefined, cuts: undefined, letOff };
  // What has changed since earlier invoices goes on this one.
  await correctUsageOfCustomer(deps, scope, invoice.customerId);
  const quantities = await readQuantities(deps, scope, start.invoice, start.lines);
  const living = start.lines.filter(({ deletedAtMs }) => deletedAtMs === undefined);
  return { before, start, quantities, cuts: await readCuts(deps, scope, invoice.currency, living), letOff };
}

/** undefined when the invoice has changed since its usage was read. */
async function moveWithin(
  scope: CustomerScope,
  deps: InvoicesDeps,
  id: string,
  move: Move,
  read: ReadBefore,
): Promise<Invoice | undefined> {
  const invoice = await invoiceRepository(scope).byId(id);
  if (invoice?.version !== read.before.invoice.version) return undefined;
  const app = await deps.findApp(invoice.appId, scope);
  const isTaxEnforced = await taxIsEnforced(deps, invoice, scope);
  const rail = deps.rails[invoice.appType];
  const { quantities, cuts } = read;
  const context: StepContext = { scope, deps, rail, app, isTaxEnforced, quantities, cuts };
  await giveBackOfDropped(scope, read.before, read.start);
  const moving = move.trigger === undefined ? read.start : await trigger(read.start, move.trigger, context);
  const stuck = await followAutomaticSteps(moving, context);
  if (stuck === undefined) return undefined;
  const moved = move.trigger === undefined ? await becomeOverdue(stuck, context) : stuck;
  return save(scope, withLetOff(moved, read.letOff), read.before, context);
}

/** As agreed when the invoice was made; whoever has stopped enforcing since wants it to go on. */
async function taxIsEnforced(
  deps: InvoicesDeps,
  { workflow, customerId }: Invoice,
  scope: CustomerScope,
): Promise<boolean> {
  return workflow.tax.enforced && (await deps.profileOf(customerId, scope)).profile.workflow.tax.enforced;
}

interface StepContext {
  scope: CustomerScope;
  deps: InvoicesDeps;
  rail: Rail;
  app: Awaited<ReturnType<InvoicesDeps['findApp']>>;
  isTaxEnforced: boolean;
  quantities: ReadQuantities | undefined;
  cuts: Cuts | undefined;
}

async function trigger(moving: Moving, name: Trigger, context: StepContext): Promise<Moving> {
  const target = transition(moving.invoice.status, name);
  if (target === undefined) {
    throw invoiceProblem('invoice_action_not_available', `${name.replace('_', ' ')} in ${moving.invoice.status}`, {
      attributes: { status: moving.invoice.status, action: name },
    });
  }
  return enter(moving, target, context);
}

/** undefined when quantities are needed that were not read. */
async function followAutomaticSteps(start: Moving, context: StepContext): Promise<Moving | undefined> {
  let moving = start;
  for (;;) {
    const facts = factsOf(moving.invoice, hasLiving(moving.lines), { ...context, nowMs: context.scope.clock.nowMs() });
    const next = nextStatus(moving.invoice.status, facts);
    if (next === undefined) return moving;
    if (next === 'draft.collecting') {
      if (await waitsForEarlierPart(context.scope, moving.lines)) return moving;
      if (context.quantities === undefined) return undefined;
    }
    moving = await enter(moving, next, context);
  }
}

async function becomeOverdue(moving: Moving, context: StepContext): Promise<Moving> {
  const { status, dueAtMs } = moving.invoice;
  const isDue = dueAtMs !== undefined && context.scope.clock.nowMs() >= dueAtMs;
  return isDue && transition(status, 'overdue') !== undefined ? enter(moving, 'overdue', context) : moving;
}

function enter(moving: Moving, status: ExtendedStatus, context: StepContext): Promise<Moving> {
  const { scope, ...rest } = context;
  const entered = { ...moving, invoice: { ...moving.invoice, status } };
  return enterState(entered, { ...rest, scope, nowMs: scope.clock.nowMs() });
}

async function save(
  scope: CustomerScope,
  moved: Moving,
  before: Moving,
  { deps, app, rail }: StepContext,
): Promise<Invoice | undefined> {
  const { invoice, lines } = moved;
  const nowMs = scope.clock.nowMs();
  const invoices = invoiceRepository(scope);
  if (invoice.number !== before.invoice.number && (await invoices.numberIsTaken(invoice.number))) {
    throw invoiceNumberTaken(invoice.number);
  }
  const changed = { ...invoice, updatedAtMs: nowMs };
  const wake = wakeAtMs(changed, factsOf(changed, hasLiving(lines), { rail, app, nowMs }));
  // A draft that waits for an earlier part is looked at again soon.
  const wakeAt = wake !== undefined && wake <= nowMs ? nowMs + RECHECK_MS : wake;
  if (!(await invoices.replace(changed, wakeAt))) return undefined;
  const known = new Map(before.lines.map((line) => [line.id, line]));
  await chargeRepository(scope).insert(moved.newCharges ?? []);
  await lineRepository(scope).insert(lines.filter((line) => !known.has(line.id)));
  const replaced = lines.filter((line) => known.has(line.id) && known.get(line.id) !== line);
  await lineRepository(scope).replace(replaced.map((line) => ({ ...line, updatedAtMs: nowMs })));
  await chargesFollow(scope, before.lines, lines, nowMs);
  await adjustmentsFollow(deps, scope, before, { ...moved, invoice: changed });
  await creditPurchasesFollow(deps, scope, before, { invoice: changed, lines });
  const stored = { ...changed, version: invoice.version + 1 };
  await deps.onInvoice({ invoice: stored, lines, previous: before.invoice }, scope);
  return stored;
}

/** How often the jobs look at invoices anyway. */
const RECHECK_MS = 300_000;
