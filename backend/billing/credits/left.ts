import type { DbHandle } from '../../platform/db/handle.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { bookAsKnown } from './as-known.ts';
import { liveAt, type RunningCharge } from './live.ts';
import { creditRepository } from './repository.ts';
import type { LedgerRecords } from './types.ts';

/** What runs is not rounded before it is billed: a price may be a small part of what the currency can express. */
const DIGITS = 18;

/** What is known of a customer's credit in one currency, to be reckoned with. */
export async function creditRecords(db: DbHandle, customerId: string, currency: string): Promise<LedgerRecords> {
  const credits = creditRepository(db);
  const lots = (await credits.lots(customerId, currency)).map(({ lot }) => lot);
  return { digits: DIGITS, lots, movements: await credits.movements(customerId, currency) };
}

/**
 * What is left for features once what runs is paid, not rounded: features that may be paid by the same credit share it.
 * @returns by the key of a feature; below zero where more was used than there was
 */
export function creditLeft(
  records: LedgerRecords,
  nowMs: number,
  running: readonly RunningCharge[],
): (featureKey: string) => Decimal {
  // All that is recorded counts, also when the clock was set back since.
  const seenAtMs = Math.max(nowMs, records.movements.at(-1)?.knownAtMs ?? nowMs);
  const live = liveAt(() => bookAsKnown(records, { atMs: nowMs, seenAtMs }), nowMs, running);
  return (featureKey) => live([featureKey]);
}
