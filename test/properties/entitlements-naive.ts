/**
 * What a balance must be, said as plainly as can be: a walk from minute to minute, with whole numbers. Shares no code
 * with the engine. Times are minutes since the start of measuring.
 */
export interface NaiveGrant {
  id: string;
  amount: number;
  priority: number;
  effectiveAt: number;
  expiresAt?: number | undefined;
  voidedAt?: number | undefined;
  createdAt: number;
  maxRollover: number;
  minRollover: number;
  recurrence?: { every: number; anchor: number } | undefined;
}

export interface NaiveInput {
  grants: readonly NaiveGrant[];
  /** Usage period in minutes, and one of its boundaries. */
  period: { every: number; anchor: number };
  manualResets: readonly { at: number; anchor?: number | undefined; preservesOverage: boolean }[];
  preservesOverage: boolean;
  usage: readonly { at: number; value: number; key: string }[];
  isDistinct: boolean;
  until: number;
  /** Shows grants that begin or end at `until`, and what they hold before they pay for anything. */
  showsStart?: boolean;
}

export interface NaiveBalance {
  balances: Record<string, number>;
  balance: number;
  usage: number;
  overage: number;
  totalAvailable: number;
}

export function naiveBalance(input: NaiveInput): NaiveBalance {
  const { grants, manualResets, usage, until } = input;
  const balances = new Map(grants.map(({ id }) => [id, 0]));
  const order = [...grants].sort(
    (a, b) =>
      a.priority - b.priority ||
      (a.expiresAt ?? 1e9) - (b.expiresAt ?? 1e9) ||
      a.createdAt - b.createdAt ||
      (a.id < b.id ? -1 : 1),
  );
  const isActive = (grant: NaiveGrant, at: number) =>
    at >= grant.effectiveAt && at < (grant.expiresAt ?? 1e9) && at < (grant.voidedAt ?? 1e9);
  const recurs = ({ recurrence }: NaiveGrant, at: number) =>
    recurrence !== undefined && (at - recurrence.anchor) % recurrence.every === 0;
  let anchor = input.period.anchor;
  let overage = 0;
  let used = 0;
  let paid = 0;
  let seen = new Set<string>();

  const burn = (amount: number): void => {
    let rest = amount;
    for (const { id } of order) {
      const take = Math.min(balances.get(id) ?? 0, rest);
      balances.set(id, (balances.get(id) ?? 0) - take);
      rest -= take;
      paid += take;
    }
    overage = rest;
  };
  const refresh = (at: number): void => {
    for (const grant of grants) {
      if (!isActive(grant, at)) balances.set(grant.id, 0);
      else if (grant.effectiveAt === at || recurs(grant, at)) balances.set(grant.id, grant.amount);
    }
  };

  for (let at = 0; at <= until; at++) {
    const manual = manualResets.find((reset) => reset.at === at);
    const isReset = at > 0 && (manual !== undefined || (at - anchor) % input.period.every === 0);
    if (manual?.anchor !== undefined) anchor = manual.anchor;
    if (isReset) {
      for (const grant of grants) {
        const rolled = Math.min(grant.maxRollover, Math.max(grant.minRollover, balances.get(grant.id) ?? 0));
        // One that ends right now does not go on, and one that begins right now is filled up below.
        if (grant.effectiveAt < at && isActive(grant, at)) balances.set(grant.id, rolled);
      }
      used = 0;
      paid = 0;
      seen = new Set();
      const kept = (manual?.preservesOverage ?? input.preservesOverage) ? overage : 0;
      overage = 0;
      if (kept > 0) burn(kept);
    }
    // What begins or ends in the very minute that is asked about is seen only behind a reset or a recurrence.
    const isShown =
      at < until || at === 0 || isReset || grants.some((g) => at > g.effectiveAt && isActive(g, at) && recurs(g, at));
    if (isShown || input.showsStart) refresh(at);
    if (at === until && input.showsStart) break;
    if (isShown && overage > 0) burn(overage);
    if (at === until) break;
    for (const event of usage.filter((candidate) => candidate.at === at)) {
      const value = !input.isDistinct ? event.value : seen.has(event.key) ? 0 : 1;
      seen.add(event.key);
      used += value;
      burn(value + overage);
    }
  }
  const balance = [...balances.values()].reduce((sum, one) => sum + one, 0);
  return { balances: Object.fromEntries(balances), balance, usage: used, overage, totalAvailable: balance + paid };
}

/**
 * The same for a meter of the latest value: the grants in force say how much may be in use at a time, and what is in use
 * is the last value of the usage period.
 */
export function naiveLevel(input: NaiveInput): Omit<NaiveBalance, 'balances'> {
  const { grants, manualResets, usage, until } = input;
  let anchor = input.period.anchor;
  let periodFrom = 0;
  for (let at = 1; at <= until; at++) {
    const manual = manualResets.find((reset) => reset.at === at);
    if (manual !== undefined || (at - anchor) % input.period.every === 0) periodFrom = at;
    if (manual?.anchor !== undefined) anchor = manual.anchor;
  }
  const isActive = (grant: NaiveGrant, at: number) =>
    at >= grant.effectiveAt && at < (grant.expiresAt ?? 1e9) && at < (grant.voidedAt ?? 1e9);
  const recurs = ({ recurrence, effectiveAt }: NaiveGrant) =>
    recurrence !== undefined && until > effectiveAt && (until - recurrence.anchor) % recurrence.every === 0;
  const isShown = until === periodFrom || grants.some((grant) => isActive(grant, until) && recurs(grant));
  const inForce = grants.filter((grant) => isActive(grant, isShown ? until : until - 1));
  const limit = inForce.reduce((sum, { amount }) => sum + amount, 0);
  const used =
    usage
      .filter(({ at }) => at >= periodFrom && at < until)
      .toSorted((a, b) => a.at - b.at)
      .at(-1)?.value ?? 0;
  const paid = Math.min(limit, used);
  return { balance: limit - paid, usage: used, overage: used - paid, totalAvailable: limit };
}
