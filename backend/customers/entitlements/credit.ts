/** What entitlements ask about credit: a module above answers, where there is one. */

/** One customer and one feature, and what a gateway wants to have of it. */
export interface CreditAsk {
  customerId: string;
  featureKey: string;
  lease?: LeaseAsk;
}

/** A node that lets requests through on its own, up to what it was given. Units are those of the feature's meter. */
export interface LeaseAsk {
  node: string;
  /** As the node knows the customer. */
  customerKey: string;
  /** Rises with each question of the node about the key. */
  turn: number;
  /** Decimal text: of its lease, what it may still let through, and what it has and the backend was not told of. */
  outstanding: string;
  /** Decimal text: what it would like to have besides. */
  wanted: string;
}

export interface CreditLease {
  customerKey: string;
  /** Decimal text: all that is outstanding and given. */
  units: string;
  /** From the moment on at which it was asked for. */
  validForMs: number;
}

/** What counts, so that a gateway can count along. */
export interface CountedMeter {
  event_type: string;
  aggregation: string;
  value_property?: string;
}

/** What is left for a feature that is stopped without credit; what is leased is taken off. */
export interface FeatureCredit {
  currency: string;
  /** Decimal text, not rounded. */
  amount: string;
  /** Decimal text: whole units of the meter; absent: any number. */
  units?: string;
  nextUnitCost: string;
  meter?: CountedMeter;
  /** Of those who asked for one, unless a later question of theirs was answered already. */
  leases?: readonly CreditLease[];
}

/** By customer and the key of the feature; those that are not stopped, or cost nothing, are absent. */
export type CreditByFeature = ReadonlyMap<string, ReadonlyMap<string, FeatureCredit>>;

export type FindCredit = (
  asks: readonly CreditAsk[],
  signal: AbortSignal | undefined,
) => Promise<CreditByFeature | undefined>;
