/** From when on billing still reads events one by one: what is older may be removed. */
import type { Scope } from '../../platform/scope.ts';
import { LOOK_BACK_MS } from '../adjustments/index.ts';
import { chargeRepository } from '../charges/index.ts';
import { invoiceRepository } from '../invoice-records/index.ts';

/**
 * The beginning of the earliest period that is open, on a draft, or looked at again for late usage. A period that does not
 * begin at a whole quarter of an hour is counted with events of its first quarter.
 * @returns undefined: nothing is needed
 */
export async function usageNeededFromMs(scope: Scope, nowMs: number): Promise<number | undefined> {
  const needed = [
    await chargeRepository(scope).earliestNeededMs(nowMs - 2 * LOOK_BACK_MS),
    await invoiceRepository(scope).earliestDraftMs(),
  ].filter((ms) => ms !== undefined);
  return needed.length === 0 ? undefined : Math.min(...needed);
}
