import type { UnitConfig } from '../../catalog/rating/index.ts';

/** The metered part of an entitlement. Quantities are decimal text, instants milliseconds since the epoch. */
export interface Measuring {
  readonly isSoftLimit: boolean;
  /** Whether a reset keeps what no grant has paid for, unless it says otherwise itself. */
  readonly preservesOverage: boolean;
  /** Granted anew in each usage period; undefined: only what other grants give. */
  readonly issue: { readonly amount: string; readonly priority: number } | undefined;
  /** ISO 8601 duration. */
  readonly usageInterval: string;
  readonly usageAnchorMs: number;
  readonly measureFromMs: number;
  readonly unitConfig: UnitConfig | undefined;
}

export type EntitlementTerms =
  | { readonly type: 'boolean' }
  | { readonly type: 'static'; readonly configJson: string }
  | { readonly type: 'metered'; readonly measuring: Measuring };

/** What a customer may use of a feature, from `activeFromMs` until `activeToMs` or `deletedAtMs`. */
export interface Entitlement {
  readonly id: string;
  readonly customerId: string;
  readonly featureId: string;
  readonly featureKey: string;
  readonly terms: EntitlementTerms;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly activeFromMs: number;
  readonly activeToMs: number | undefined;
  /** The rate card that it comes from. */
  readonly source: { readonly subscriptionId: string; readonly itemId: string } | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly deletedAtMs: number | undefined;
}

export interface StoredGrant {
  readonly id: string;
  readonly entitlementId: string;
  /** The entitlement's own grant. */
  readonly isIssue: boolean;
  readonly amount: string;
  readonly priority: number;
  readonly effectiveAtMs: number;
  /** ISO 8601 duration; `expiresAtMs` follows from it. */
  readonly expiresAfter: string | undefined;
  readonly expiresAtMs: number | undefined;
  readonly maxRollover: string;
  readonly minRollover: string;
  readonly recurrence: { readonly interval: string; readonly anchorMs: number } | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly voidedAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A reset by hand. */
export interface Reset {
  readonly entitlementId: string;
  readonly effectiveAtMs: number;
  readonly anchorMs: number;
  readonly preservesOverage: boolean;
  readonly createdAtMs: number;
}

/** An entitlement with all that its balance depends on but usage. */
export interface EntitlementWithGrants {
  readonly entitlement: Entitlement;
  readonly grants: readonly StoredGrant[];
  readonly resets: readonly Reset[];
}

/** When it stops; undefined: never. */
export function endOf({ activeToMs, deletedAtMs }: Entitlement): number | undefined {
  if (activeToMs === undefined || deletedAtMs === undefined) return activeToMs ?? deletedAtMs;
  return Math.min(activeToMs, deletedAtMs);
}

export function isInForceAt(entitlement: Entitlement, atMs: number): boolean {
  const endMs = endOf(entitlement);
  return atMs >= entitlement.activeFromMs && (endMs === undefined || atMs < endMs);
}
