/** Requests of the same moment. */
export type Admission = readonly [atMs: number, count: number, unitsEach: number];

/** A request that takes longer is no longer counted as under way; its event counts when it comes. */
const UNDER_WAY_FOR_MS = 60_000;

/** Requests within this time are kept together. */
const BUCKET_MS = 100;

interface OfCustomer {
  /** The oldest first. */
  readonly buckets: Admission[];
  /** Of all of them. */
  units: number;
}

/** Requests that were let through and have not come to their end, by customer. */
export class UnderWay {
  readonly #customers = new Map<string, OfCustomer>();

  admit(customerId: string, units: number, nowMs: number): void {
    if (units === 0) return;
    const own = this.#customers.get(customerId) ?? { buckets: [], units: 0 };
    const last = own.buckets.at(-1);
    const bucketMs = Math.floor(nowMs / BUCKET_MS) * BUCKET_MS;
    if (last?.[0] === bucketMs && last[2] === units)
      own.buckets[own.buckets.length - 1] = [bucketMs, last[1] + 1, units];
    else own.buckets.push([bucketMs, 1, units]);
    own.units += units;
    this.#customers.set(customerId, own);
  }

  /**
   * So many requests have come to their end. Which ones is not told: those with the fewest units are taken off, so that no
   * less counts than is under way, and of these the oldest.
   * @param beforeMs those that were let through after it have not
   */
  end(customerId: string, count: number, beforeMs = Number.POSITIVE_INFINITY): void {
    const own = this.#customers.get(customerId);
    let left = count;
    while (own !== undefined && left > 0) {
      const index = smallestOf(own.buckets, beforeMs);
      const bucket = own.buckets[index];
      if (bucket === undefined) break;
      const [atMs, waiting, unitsEach] = bucket;
      const ended = Math.min(waiting, left);
      if (waiting > ended) own.buckets[index] = [atMs, waiting - ended, unitsEach];
      else own.buckets.splice(index, 1);
      own.units -= ended * unitsEach;
      left -= ended;
    }
    if (own?.buckets.length === 0) this.#customers.delete(customerId);
  }

  units(customerId: string, nowMs: number): number {
    const own = this.#customers.get(customerId);
    if (own === undefined) return 0;
    for (
      let [oldest] = own.buckets;
      oldest !== undefined && nowMs - oldest[0] > UNDER_WAY_FOR_MS;
      [oldest] = own.buckets
    ) {
      own.units -= oldest[1] * oldest[2];
      own.buckets.shift();
    }
    // Fractions of units add up to what floats make of them.
    if (own.buckets.length === 0) own.units = 0;
    return own.units;
  }

  admissions(customerId: string): readonly Admission[] {
    return this.#customers.get(customerId)?.buckets ?? [];
  }
}

/** The place of the oldest of those with the fewest units each; -1: none is that old. */
function smallestOf(buckets: readonly Admission[], beforeMs: number): number {
  let found = -1;
  for (const [index, [atMs, , unitsEach]] of buckets.entries()) {
    if (atMs + BUCKET_MS > beforeMs) break;
    if (unitsEach < (buckets[found]?.[2] ?? Number.POSITIVE_INFINITY)) found = index;
  }
  return found;
}
