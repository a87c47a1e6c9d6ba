import type { EffectivePeriod, Labels, Phase, SettlementMode, VersionStatus } from '../product-catalog/index.ts';

export type PlanStatus = VersionStatus;

/** What a client chooses once, when it creates a plan. */
export interface PlanIdentity {
  /** Shared by all versions. */
  key: string;
  /** Code of the currency of all prices that name no other. */
  currency: string;
  /** ISO 8601 duration between two invoices of a subscription. */
  billingCadence: string;
}

/** What a client may change in a draft. */
export interface PlanContent {
  name: string;
  description?: string;
  labels?: Labels;
  /** Flat fees of short periods are charged in part. */
  proRatingEnabled: boolean;
  phases: readonly Phase[];
}

/** A version of a plan. Only drafts and scheduled versions change; all instants are RFC 3339 in UTC. */
export interface Plan extends PlanIdentity, PlanContent, EffectivePeriod {
  id: string;
  /** 1, 2, 3 … in the order in which the versions of the key were created; deleted ones count. */
  version: number;
  settlementMode: SettlementMode;
  createdAt: string;
  updatedAt: string;
  deletedAt?: string;
}
