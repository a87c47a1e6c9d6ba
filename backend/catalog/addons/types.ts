import type { EffectivePeriod, Labels, RateCard, VersionStatus } from '../product-catalog/index.ts';

/** Add-ons are in force from the moment of their publishing: the contract has no scheduled ones. */
export type AddonStatus = Exclude<VersionStatus, 'scheduled'>;

/** `single`: a subscription has it or not; `multiple`: it has it so and so many times. */
export type InstanceType = 'single' | 'multiple';

/** A version of an add-on: rate cards that a subscription buys on top of its plan. Instants are RFC 3339 in UTC. */
export interface Addon extends EffectivePeriod {
  id: string;
  /** Shared by all versions. */
  key: string;
  version: number;
  name: string;
  description?: string;
  labels?: Labels;
  instanceType: InstanceType;
  /** Code of the currency of all prices that name no other. */
  currency: string;
  rateCards: readonly RateCard[];
  createdAt: string;
  updatedAt: string;
  deletedAt?: string;
}
