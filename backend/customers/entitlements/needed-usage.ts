/** From when on balances are counted from events one by one: what is older may be removed. */
import { QUARTER_HOUR_MS } from '../../platform/calendar-windows.ts';
import { forEachInSlices } from '../../platform/in-slices.ts';
import { nowByCustomer } from '../test-clocks/index.ts';
import { planBalance } from './engine/balance.ts';
import { currentPeriod, type Measured, measuredOf, windowsOf } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { EntitlementDeps } from './service.ts';

/** Read with their grants and features in some milliseconds. */
const PAGE = 200;

/**
 * The earliest instant from which on the balance of an entitlement in force needs events: its current usage period, in which
 * grants and resets may still be put anywhere, and what it is reckoned from before that, where grants roll over.
 * @returns the beginning of a quarter of an hour; undefined: nothing is needed
 */
export async function usageNeededFromMs(deps: EntitlementDeps): Promise<number | undefined> {
  const { scope } = deps;
  const now = await nowByCustomer(scope);
  let earliestMs = Number.POSITIVE_INFINITY;
  for (let afterId = ''; ; ) {
    const page = await entitlementRepository(scope).measuredPage(afterId, PAGE, now);
    const measured = await measuredOf(await entitlementRepository(scope).withGrants(page), deps);
    await forEachInSlices(measured, (one) => {
      earliestMs = Math.min(earliestMs, neededFromMs(one, now.of(one.stored.entitlement.customerId)));
    });
    afterId = page.at(-1)?.id ?? '';
    if (page.length < PAGE) break;
  }
  return earliestMs === Number.POSITIVE_INFINITY
    ? undefined
    : Math.floor(earliestMs / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
}

function neededFromMs(measured: Measured, nowMs: number): number {
  const { allowance, feature } = measured;
  let earliestMs = Math.min(currentPeriod(measured, nowMs).fromMs, nowMs);
  // Of a dimension with many values there are no figures but the events.
  const isFiltered = Object.keys(feature.meter?.filters ?? {}).length > 0;
  for (const { fromMs, toMs } of windowsOf(planBalance(allowance, nowMs), allowance.usageKind)) {
    for (const edgeMs of [fromMs, toMs]) {
      if (isFiltered || edgeMs % QUARTER_HOUR_MS !== 0) earliestMs = Math.min(earliestMs, edgeMs);
    }
  }
  return earliestMs;
}
