import type { CreditAsk, CreditLease, LeaseAsk } from '../../customers/entitlements/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import type { Scope } from '../../platform/scope.ts';
import {
  holderKey,
  LEASE_KEPT_MS,
  LEASE_VALID_MS,
  type Lease,
  type LeaseHolder,
  largerOf,
  leasedUnits,
  sliceOf,
} from './leases.ts';
import { type CreditFacts, type CreditLeft, reckon } from './reckoning.ts';
import { authorisationRepository } from './repository.ts';

/** What was asked, with what is left for others. */
export interface Judged {
  ask: CreditAsk;
  left: CreditLeft;
  /** Absent: none was asked for, or a later question has been answered. */
  lease?: CreditLease;
}

type FactsByCustomer = ReadonlyMap<string, CreditFacts>;

/**
 * Gives those who ask for leases what they can have, one after the other: all leases are looked at and written in one
 * transaction, so that nothing is given twice. Customers with nothing to pay for the feature are left out.
 * @param before leases, as they were before usage was read
 */
export async function grantLeases(
  scope: Scope,
  asks: readonly CreditAsk[],
  facts: FactsByCustomer,
  before: readonly Lease[],
): Promise<Judged[]> {
  if (asks.every(({ lease }) => lease === undefined)) return asks.flatMap((ask) => judge(ask, facts, before));
  return scope.transaction(async (scope) => {
    const repository = authorisationRepository(scope);
    const nowMs = scope.clock.nowMs();
    const stored = await repository.leases([...facts.keys()], nowMs);
    const turns = new Map(stored.map((lease) => [holderKey(lease), lease.turn]));
    let leases = largerOf(before, stored);
    const judged: Judged[] = [];
    const granted: Lease[] = [];
    for (const ask of asks) {
      const lease = ask.lease && grant(ask, ask.lease, { facts, leases, turns, nowMs });
      if (lease !== undefined) {
        leases = [...others(leases, lease), lease];
        granted.push(lease);
      }
      const given = lease && {
        customerKey: lease.customerKey,
        units: formatDecimal(lease.units),
        validForMs: LEASE_VALID_MS,
      };
      for (const one of judge(ask, facts, leases)) judged.push({ ...one, ...(given && { lease: given }) });
    }
    await repository.removeLapsed(nowMs);
    for (const lease of granted) if (lease.units.isZero()) await repository.removeLease(lease);
    await repository.storeLeases(granted.filter(({ units }) => !units.isZero()));
    return judged;
  });
}

function judge(ask: CreditAsk, facts: FactsByCustomer, leases: readonly Lease[]): Judged[] {
  const left = leftOf(ask, facts, leases);
  return left === undefined ? [] : [{ ask, left }];
}

function leftOf(
  { customerId, featureKey }: CreditAsk,
  facts: FactsByCustomer,
  leases: readonly Lease[],
): CreditLeft | undefined {
  const own = facts.get(customerId);
  return own && reckon(own, leasedUnits(leases.filter((lease) => lease.customerId === customerId)))(featureKey);
}

/** @returns undefined: there is nothing to pay, or a later question of the holder was answered already */
function grant(
  ask: CreditAsk,
  { node, customerKey, turn, outstanding, wanted }: LeaseAsk,
  known: { facts: FactsByCustomer; leases: readonly Lease[]; turns: ReadonlyMap<string, number>; nowMs: number },
): Lease | undefined {
  const { customerId, featureKey } = ask;
  const holder: LeaseHolder = { customerId, featureKey, node, customerKey };
  if ((known.turns.get(holderKey(holder)) ?? -1) >= turn) return undefined;
  const held: Lease = {
    ...holder,
    turn,
    units: new Decimal(outstanding),
    grantedAtMs: known.nowMs,
    expiresAtMs: known.nowMs + LEASE_KEPT_MS,
  };
  const rest = others(known.leases, holder);
  const left = leftOf(ask, known.facts, [...rest, held]);
  if (left === undefined) return undefined;
  const ofFeature = rest.filter((lease) => lease.customerId === customerId && lease.featureKey === featureKey);
  const nodes = new Set([node, ...ofFeature.map((lease) => lease.node)]).size;
  const slice = Decimal.max(sliceOf(new Decimal(wanted), left.units, nodes), ZERO);
  return { ...held, units: held.units.add(slice) };
}

function others(leases: readonly Lease[], holder: LeaseHolder): Lease[] {
  return leases.filter((one) => holderKey(one) !== holderKey(holder));
}
