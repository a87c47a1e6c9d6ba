/** A value of the terms that rating cannot work with, or that would not do what it says. */
export interface PricingProblem {
  rule:
    | 'invalid_number'
    | 'negative_number'
    | 'number_not_positive'
    | 'minimum_above_maximum'
    | 'no_tiers'
    | 'duplicate_tier_bound'
    | 'not_one_open_ended_tier'
    | 'tier_without_price'
    | 'percentage_out_of_range'
    | 'precision_out_of_range'
    | 'commitments_with_flat_price'
    | 'usage_discount_with_flat_price'
    | 'unit_config_requires_usage_based_price';
  /** Dotted path in the terms ("price.tiers.0.up_to_amount"). */
  field: string;
  message: string;
  /** False when rating simply does not run the rule (a usage discount on a flat price). */
  blocksRating: boolean;
}

export type RatingErrorCode =
  | 'invalid_pricing'
  | 'invalid_number'
  | 'invalid_period'
  | 'invalid_allocation'
  | 'unit_config_disabled'
  | 'volume_split_not_supported'
  | 'credits_not_consumed_fully';

/** Rating refuses to give a number. Nothing was computed; the message names the value. */
export class RatingError extends Error {
  readonly code: RatingErrorCode;
  /** For `invalid_pricing`: everything that is wrong with the terms. */
  readonly problems: readonly PricingProblem[];

  constructor(code: RatingErrorCode, message: string, problems: readonly PricingProblem[] = []) {
    super(message);
    this.name = 'RatingError';
    this.code = code;
    this.problems = problems;
  }
}
