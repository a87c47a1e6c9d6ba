import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';

/** Who holds a lease: a gateway node, for a customer as it knows them, of a feature. */
export interface LeaseHolder {
  customerId: string;
  featureKey: string;
  node: string;
  customerKey: string;
}

/** Units of a feature that a node may let through by itself, or has let through and that no usage shows yet. */
export interface Lease extends LeaseHolder {
  units: Decimal;
  turn: number;
  grantedAtMs: number;
  expiresAtMs: number;
}

/** A node goes by its lease for this long after it has asked, and asks anew long before. */
export const LEASE_VALID_MS = 20_000;
/**
 * For so long nobody else is given what was leased. Longer than the node goes by it, so that what it let through last has
 * arrived: events are on their way for seconds. The node that dies keeps it from others for as long.
 */
export const LEASE_KEPT_MS = 60_000;

/**
 * The leases that usage read between two looks at them may lack: what was returned in between may have been used, and then
 * its usage came too late to be read. Of each the larger count stands.
 */
export function largerOf(before: readonly Lease[], after: readonly Lease[]): Lease[] {
  const known = new Map(before.map((lease) => [holderKey(lease), lease]));
  for (const lease of after) {
    const other = known.get(holderKey(lease));
    known.set(holderKey(lease), { ...lease, units: Decimal.max(lease.units, other?.units ?? ZERO) });
  }
  return [...known.values()];
}

export function holderKey({ customerId, featureKey, node, customerKey }: LeaseHolder): string {
  return JSON.stringify([customerId, featureKey, node, customerKey]);
}

/** By the key of a feature: what of one customer is leased. */
export function leasedUnits(leases: readonly Lease[]): (featureKey: string) => Decimal {
  const byFeature = Map.groupBy(leases, ({ featureKey }) => featureKey);
  return (featureKey) => sumDecimals((byFeature.get(featureKey) ?? []).map(({ units }) => units));
}

/**
 * How much a node is given of what is left: all that it wants where it is alone, else half of its part, so that something
 * is left for those who ask next, and one unit at least.
 * @param left undefined: any number
 */
export function sliceOf(wanted: Decimal, left: Decimal | undefined, nodes: number): Decimal {
  if (left === undefined) return wanted;
  const most = nodes === 1 ? left : Decimal.min(left, Decimal.max(left.div(2 * nodes).floor(), 1));
  return Decimal.min(wanted, most);
}
