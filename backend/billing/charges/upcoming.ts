/**
 * The charges that the customer's next invoice is made of: those that are stored, and those that are worked out only
 * when what they are for begins (a subscription that is scheduled, a change at the next cycle).
 */

import type { SubscriptionView } from '../../customers/subscriptions/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { derivedId } from '../../platform/derived-id.ts';
import { compareCharges } from './compare.ts';
import type { ChargesDeps } from './deps.ts';
import { isOpen } from './due.ts';
import { chargeRepository } from './repository.ts';
import { scheduleRepository } from './schedule/repository.ts';
import type { Charge } from './types.ts';
import { horizonMs } from './wanted.ts';
import { wantedUntil } from './wanted-until.ts';

/** How far is looked for something that falls due. What is free for longer is not worth a preview. */
const MAX_AHEAD_MS = 5 * 366 * 86_400_000;

/**
 * Nothing is stored; the customer's subscriptions have been followed up to now.
 * @param firstDueMs when the first of these charges is put on an invoice; undefined: nothing falls due
 */
export async function upcomingCharges(
  deps: ChargesDeps,
  scope: CustomerScope,
  customerId: string,
  firstDueMs: (charges: readonly Charge[]) => number | undefined,
): Promise<Charge[]> {
  const nowMs = scope.clock.nowMs();
  const views = await deps.findSubscriptions(await scheduleRepository(scope).openSubscriptions(customerId), scope);
  let charges = (await chargeRepository(scope).open(customerId)).filter(isOpen);
  for (const view of views.toSorted((a, b) => a.fromMs - b.fromMs)) {
    let known = await chargeRepository(scope).ofSubscription(view.id);
    const startMs = Math.max(nowMs, view.fromMs);
    let atMs = startMs;
    while (atMs - startMs <= MAX_AHEAD_MS && atMs <= (firstDueMs(charges) ?? Number.POSITIVE_INFINITY)) {
      const untilMs = horizonMs(view, atMs);
      if (untilMs === undefined) break;
      known = await asAskedFor(deps, scope, view, known, untilMs);
      const others = charges.filter(({ subscription }) => subscription?.id !== view.id);
      charges = [...others, ...known.filter(isOpen)].sort(inOrder);
      if (untilMs <= atMs) break;
      // Twice as far each time, as a free trial may last for many periods, but not past what is known to fall due.
      const limits = [untilMs + (untilMs - startMs), firstDueMs(charges), view.toMs].filter((ms) => ms !== undefined);
      atMs = Math.max(untilMs, Math.min(...limits));
    }
  }
  return charges;
}

/** The subscription's charges as they will be stored when they are asked for up to an instant. */
async function asAskedFor(
  deps: ChargesDeps,
  scope: CustomerScope,
  view: SubscriptionView,
  known: readonly Charge[],
  untilMs: number,
): Promise<Charge[]> {
  const byId = new Map(known.map((charge) => [charge.id, charge]));
  const nowMs = scope.clock.nowMs();
  for (const change of await compareCharges(await wantedUntil(deps, scope, view, untilMs), known, untilMs, view.toMs)) {
    if (change.kind === 'remove') byId.set(change.charge.id, { ...change.charge, state: 'deleted' });
    else if (change.kind === 'update') {
      const { charge, wanted } = change;
      const state = charge.state === 'deleted' ? 'open' : charge.state;
      byId.set(charge.id, { ...charge, ...wanted, state });
    } else {
      const id = derivedId(`${view.id}/${change.wanted.reference}`);
      const made = { id, customerId: view.customerId, controller: 'system', state: 'open' } as const;
      byId.set(id, { ...change.wanted, ...made, createdAtMs: nowMs, updatedAtMs: nowMs });
    }
  }
  return [...byId.values()];
}

/** As stored ones are read. */
function inOrder(a: Charge, b: Charge): number {
  return a.invoiceAtMs - b.invoiceAtMs || (a.id < b.id ? -1 : 1);
}
