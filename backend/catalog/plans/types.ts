import type { EffectivePeriod, Labels, Phase, SettlementMode, VersionStatus } from '../product-catalog/index.ts';

export type { PlanAddon } from './plan-addon-types.ts';

export type PlanStatus = VersionStatus;

/** A version of a plan. Once it is in force only its period changes; all instants are RFC 3339 in UTC. */
export interface Plan extends EffectivePeriod {
  id: string;
  /** Shared by all versions. */
  key: string;
  /** 1, 2, 3 … in the order in which the versions of the key were created; deleted ones count. */
  version: number;
  name: string;
  description?: string;
  labels?: Labels;
  /** Code of the currency of all prices that name no other. */
  currency: string;
  /** ISO 8601 duration between two invoices of a subscription. */
  billingCadence: string;
  /** Flat fees of short periods are charged in part. */
  proRatingEnabled: boolean;
  settlementMode: SettlementMode;
  phases: readonly Phase[];
  createdAt: string;
  updatedAt: string;
  deletedAt?: string;
}
