/** Makes the stored charges of a subscription those that it asks for. Repeatable: nothing is ever charged twice. */

import type { SubscriptionView } from '../../customers/subscriptions/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { Currency } from '../../platform/money.ts';
import { adjustmentRepository, correctFee } from '../adjustments/index.ts';
import {
  type Charge,
  type ChargeChange,
  chargeRepository,
  compareCharges,
  currencyOf,
  horizonMs,
  type WantedCharge,
  wantedUntil,
} from '../charges/index.ts';
import { releaseRuns } from '../credits/index.ts';
import {
  followCharge,
  followsCharges,
  type InvoiceLine,
  invoiceRepository,
  isTakenBack,
  type LineOfCharge,
  lineRepository,
} from '../invoice-records/index.ts';
import { followGathering, runOf } from '../invoices/index.ts';
import type { BillingRunsDeps } from './deps.ts';

/** What became of a subscription's charges. */
export interface SyncResult {
  created: number;
  changed: number;
  removed: number;
  /** When to look again; undefined: never, unless the subscription changes. */
  nextAtMs: number | undefined;
  /** Drafts whose lines have changed: they have to be worked out again. */
  draftIds: readonly string[];
}

export async function syncSubscription(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  subscription: SubscriptionView,
): Promise<SyncResult> {
  const nowMs = scope.clock.nowMs();
  const untilMs = horizonMs(subscription, nowMs);
  const nextAtMs = nextSyncMs(subscription, nowMs, untilMs);
  const stored = await chargeRepository(scope).ofSubscription(subscription.id);
  if (untilMs === undefined && stored.length === 0)
    return { created: 0, changed: 0, removed: 0, nextAtMs, draftIds: [] };
  const wanted = untilMs === undefined ? [] : await wantedUntil(deps, scope, subscription, untilMs);
  const changes = await compareCharges(wanted, stored, untilMs ?? nowMs, subscription.toMs);
  const draftIds = await applyChanges(deps, scope, subscription, changes);
  const count = (kind: ChargeChange['kind']) => changes.filter((change) => change.kind === kind).length;
  return {
    created: count('create'),
    changed: count('update'),
    removed: count('remove'),
    nextAtMs,
    draftIds,
  };
}

/** Of a subscription that was deleted before it began; the clock had been there already. */
export async function removeCharges(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  subscription: Pick<SubscriptionView, 'id' | 'customerId'>,
): Promise<string[]> {
  const stored = await chargeRepository(scope).ofSubscription(subscription.id);
  const changes = stored.flatMap((charge): ChargeChange[] =>
    charge.state === 'deleted' ? [] : [{ kind: 'remove', charge }],
  );
  // It was never in force: nothing of it is used.
  return applyChanges(deps, scope, { customerId: subscription.customerId, toMs: undefined }, changes);
}

/** Whose charges they are, and when they end. */
interface OfSubscription {
  customerId: string;
  toMs?: number | undefined;
}

/** @returns drafts that have to be worked out again */
async function applyChanges(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  subscription: OfSubscription,
  changes: readonly ChargeChange[],
): Promise<string[]> {
  const draftIds = new Set<string>();
  for (const change of changes) for (const id of await applyChange(deps, scope, subscription, change)) draftIds.add(id);
  await followGatherings(deps, scope, subscription.customerId, changes);
  return [...draftIds];
}

/** At the start, then at each end of a billing period, and never again when everything up to the end is charged. */
function nextSyncMs(subscription: SubscriptionView, nowMs: number, untilMs: number | undefined): number | undefined {
  if (untilMs === undefined) return subscription.phases.length === 0 ? undefined : subscription.fromMs;
  return untilMs > nowMs ? untilMs : undefined;
}

async function followGatherings(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customerId: string,
  changes: readonly ChargeChange[],
): Promise<void> {
  const customer = await deps.findCustomer(customerId, scope);
  if (customer === undefined) return;
  const currencies = changes.map((change) => (change.kind === 'remove' ? change.charge : change.wanted).currency);
  for (const currency of new Set(currencies)) await followGathering(scope, customer, currency);
}

/** @returns drafts that have to be worked out again */
async function applyChange(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  { customerId, toMs: endsAtMs }: OfSubscription,
  change: ChargeChange,
): Promise<string[]> {
  const charges = chargeRepository(scope);
  const atMs = scope.clock.nowMs();
  if (change.kind === 'create') {
    const charge = { ...change.wanted, id: scope.newId(), customerId, controller: 'system', state: 'open' } as const;
    await charges.insert([{ ...charge, createdAtMs: atMs, updatedAtMs: atMs }]);
    return [];
  }
  const { charge } = change;
  const lines = (await lineRepository(scope).ofCharge(charge.id)).filter((line) => line.kind === 'charge');
  const earlier = await adjustmentRepository(scope).ofCharge(charge.id);
  const currency = await currencyOf(deps, charge.currency, scope);
  if (change.kind === 'remove') {
    await charges.setState(charge.id, { state: 'deleted', atMs });
    if (charge.settlementMode === 'credit_only') {
      await releaseRuns(scope, currency, [charge.id], `removed:${charge.id}:${scope.newId()}`);
    }
    await correctFee(deps, scope, { ...charge, amount: '0' }, { lines, earlier, usedUntilMs: endsAtMs });
    return (await changeDrafts(scope, lines, undefined, { atMs, currency })).draftIds;
  }
  const changed: Charge = { ...charge, ...withoutMissing(charge, change.wanted) };
  await charges.replaceContent(charge.id, change.wanted, atMs);
  await correctFee(deps, scope, changed, { lines, earlier, usedUntilMs: changed.servicePeriod.toMs });
  const { draftIds, lines: now } = await changeDrafts(scope, lines, changed, { atMs, currency });
  await charges.setState(charge.id, { ...progressOf(changed, now), atMs });
  return draftIds;
}

/** The wanted content takes the place of all of the stored one: what it does not have is gone. */
function withoutMissing(charge: Charge, wanted: WantedCharge): Partial<Charge> {
  const { description, featureId, featureKey, taxConfig, amount } = wanted;
  const optional = { description, featureId, featureKey, taxConfig, amount };
  return { ...wanted, ...(optional as Partial<Charge>), id: charge.id };
}

/**
 * A fee is billed with its line. Usage is billed with the last part of its period: what was billed as an earlier part, up
 * to an end that was not known then, is followed by an empty last one, which brings what only a last one has (the minimum).
 * What the system took off a draft when the charge went is still to be billed; what a person took off is let off.
 */
function progressOf(charge: Charge, lines: readonly LineOfCharge[]): { state: Charge['state']; billedToMs?: number } {
  const kept = lines.filter((line) => !isTakenBack(line));
  if (charge.amount !== undefined) return { state: kept.length > 0 ? 'billed' : 'open' };
  const { fromMs, toMs } = charge.servicePeriod;
  const isLast = ({ splitPosition, servicePeriod, overrides }: LineOfCharge) =>
    LAST_PARTS.has(splitPosition) && (servicePeriod.toMs >= toMs || overrides?.fields.includes('period') === true);
  const billedToMs = Math.max(fromMs, ...kept.map(({ servicePeriod }) => servicePeriod.toMs));
  return { state: kept.some(isLast) ? 'billed' : 'open', ...(kept.length < lines.length && { billedToMs }) };
}

const LAST_PARTS: ReadonlySet<string> = new Set(['single', 'last'] satisfies LineOfCharge['splitPosition'][]);

/**
 * Lines on drafts follow their charge in everything that no person has set.
 * @returns all lines as they are then, and the drafts that have to be worked out again
 */
async function changeDrafts(
  scope: CustomerScope,
  lines: readonly LineOfCharge[],
  charge: Charge | undefined,
  { atMs, currency }: { atMs: number; currency: Currency },
): Promise<{ lines: LineOfCharge[]; draftIds: string[] }> {
  const draftIds: string[] = [];
  const now: LineOfCharge[] = [];
  for (const line of lines) {
    if (!followsCharges(line.invoiceStatus) || line.deletedAtMs !== undefined) {
      now.push(line);
      continue;
    }
    const { invoiceStatus, ...before } = line;
    const own = { ...followed(before, charge, { atMs, currency }), updatedAtMs: atMs };
    await lineRepository(scope).replace([own]);
    if (own.deletedAtMs !== undefined) {
      await releaseRuns(scope, currency, [runOf(own)], `gone:${own.id}`);
    }
    await wakeDraft(scope, line.invoiceId, atMs);
    draftIds.push(line.invoiceId);
    now.push({ ...own, invoiceStatus });
  }
  return { lines: now, draftIds };
}

/** What becomes of a line on a draft with its charge. */
function followed(
  line: InvoiceLine,
  charge: Charge | undefined,
  { atMs, currency }: { atMs: number; currency: Currency },
): InvoiceLine {
  const gone: InvoiceLine = { ...line, deletedAtMs: atMs, removedBy: 'system' };
  if (charge === undefined) return gone;
  const { fromMs } = line.servicePeriod;
  const endMs = charge.servicePeriod.toMs;
  const toMs = charge.amount === undefined ? Math.min(line.servicePeriod.toMs, endMs) : endMs;
  return toMs < fromMs ? gone : followCharge(line, charge, { fromMs, toMs }, currency);
}

/** The next version of the invoice, so that nobody stores what was worked out from the lines as they were. */
async function wakeDraft(scope: CustomerScope, invoiceId: string, atMs: number): Promise<void> {
  const invoice = await invoiceRepository(scope).byId(invoiceId);
  if (invoice === undefined) return;
  await invoiceRepository(scope).replace({ ...invoice, status: 'draft.updating', updatedAtMs: atMs }, atMs);
}
