/** Credits cent by cent: every cent stands somewhere, and steps move one at a time. Slow, and nothing to get wrong. */

export interface NaiveGrant {
  amount: number;
  priority: number;
  feature: string | undefined;
  effectiveAt: number;
  expiresAt: number;
}

export type NaiveStep = { at: number } & (
  | { type: 'grant'; grant: NaiveGrant }
  | { type: 'total'; run: number; total: number; asOf: number; isCut: boolean }
  | { type: 'void' | 'unfund'; lot: number }
);

export interface NaiveRun {
  feature: string | undefined;
  isCreditOnly: boolean;
}

interface Lot extends NaiveGrant {
  free: number;
  lapsed: number;
  isExpired: boolean;
  isVoid: boolean;
}

const ADVANCE = -1;

export function naiveLedger(runs: readonly NaiveRun[]) {
  const lots: Lot[] = [];
  /** By run, the lot of each cent in the order of drawing. */
  const cents: number[][] = runs.map(() => []);
  /** Runs in the order in which they began to owe. */
  let owing: number[] = [];
  /** Runs in the order of their first booking. */
  const booked: number[] = [];

  const pays = (lot: Lot, run: number) => lot.feature === undefined || lot.feature === runs[run]?.feature;
  const isThere = (lot: Lot, at: number, isCut: boolean) =>
    !lot.isVoid && (isCut ? lot.effectiveAt < at && at <= lot.expiresAt : lot.effectiveAt <= at && at < lot.expiresAt);
  const best = (run: number, at: number, isCut: boolean, has: (lot: Lot) => boolean) => {
    const rank = (lot: Lot) => [lot.priority, lot.feature === undefined ? 1 : 0, lot.expiresAt, lots.indexOf(lot)];
    const fitting = lots.filter((lot) => pays(lot, run) && isThere(lot, at, isCut) && has(lot));
    return fitting.sort((a, b) => {
      const [left, right] = [rank(a), rank(b)];
      const differing = left.findIndex((value, index) => value !== right[index]);
      return (left[differing] ?? 0) - (right[differing] ?? 0);
    })[0];
  };
  const owes = (run: number) => (cents[run] ?? []).includes(ADVANCE);
  const noteOwing = (run: number) => {
    if (owes(run) && !owing.includes(run)) owing.push(run);
    owing = owing.filter(owes);
  };
  /** Moves one cent of what a run owes to a lot; it is then what the run drew last. */
  const coverOne = (run: number, lot: Lot) => {
    const own = cents[run] ?? [];
    own.splice(own.indexOf(ADVANCE), 1);
    own.push(lots.indexOf(lot));
    lot.free -= 1;
    noteOwing(run);
  };
  const coverAll = (at: number) => {
    for (const run of [...owing]) {
      for (
        let lot = best(run, at, false, ({ free }) => free > 0);
        owes(run) && lot;
        lot = best(run, at, false, ({ free }) => free > 0)
      ) {
        coverOne(run, lot);
      }
    }
  };
  const giveBackOne = (run: number) => {
    const own = cents[run] ?? [];
    const owed = own.indexOf(ADVANCE);
    if (owed >= 0) own.splice(owed, 1);
    else {
      const lot = lots[own.pop() ?? 0];
      if (lot === undefined || lot.isVoid) return;
      if (lot.isExpired) lot.lapsed += 1;
      else lot.free += 1;
    }
  };
  const drawOne = (run: number, asOf: number, isCut: boolean): boolean => {
    const lot = best(run, asOf, isCut, ({ free, lapsed }) => free + lapsed > 0);
    if (lot === undefined) return false;
    if (lot.free > 0) lot.free -= 1;
    else lot.lapsed -= 1;
    cents[run]?.push(lots.indexOf(lot));
    return true;
  };

  return {
    lots,
    cents,
    /** Everything that time does at an instant. */
    turn: (at: number, when: 'expiries' | 'beginnings') => {
      for (const lot of lots) {
        if (when !== 'expiries' || lot.isVoid || lot.isExpired || lot.expiresAt > at) continue;
        lot.isExpired = true;
        lot.lapsed += lot.free;
        lot.free = 0;
      }
      if (when === 'beginnings') coverAll(at);
    },
    grant: (at: number, grant: NaiveGrant) => {
      const lot = { ...grant, free: grant.amount, lapsed: 0, isExpired: false, isVoid: false };
      lots.push(lot);
      for (const run of [...owing]) {
        while (lot.effectiveAt > at && lot.free > 0 && owes(run) && pays(lot, run)) coverOne(run, lot);
      }
      coverAll(at);
    },
    total: (at: number, run: number, total: number, asOf: number, isCut: boolean) => {
      const own = cents[run] ?? [];
      while (own.length > total) giveBackOne(run);
      while (own.length < total && drawOne(run, asOf, isCut));
      while (own.length < total && runs[run]?.isCreditOnly) own.push(ADVANCE);
      if (own.length > 0 && !booked.includes(run)) booked.push(run);
      noteOwing(run);
      coverAll(at);
    },
    takeAway: (at: number, index: number, withUsed: boolean) => {
      const lot = lots[index];
      if (lot === undefined || lot.isVoid) return;
      lot.isVoid = true;
      lot.free = 0;
      if (!withUsed) return;
      for (const run of booked) {
        cents[run] = (cents[run] ?? []).map((cent) => (cent === index ? ADVANCE : cent));
        noteOwing(run);
      }
      coverAll(at);
    },
    balance: (at: number, feature?: string): number => {
      const seen = lots.filter((lot) => feature === undefined || lot.feature === undefined || lot.feature === feature);
      const there = seen.filter((lot) => isThere(lot, at, false)).reduce((sum, { free }) => sum + free, 0);
      const owed = cents.filter((_, run) => feature === undefined || [undefined, feature].includes(runs[run]?.feature));
      return there - owed.flat().filter((cent) => cent === ADVANCE).length;
    },
  };
}
