/** What plans and add-ons consist of, and subscriptions copy: plain data, so that it can be stored as JSON as it is. */
import type { PaymentTerm, PricingTerms } from '../rating/index.ts';

export type Labels = Readonly<Record<string, string>>;

/** The money side of a rate card, ready to be passed to `rate`. Prices are in the card's currency. */
export interface RateCardTerms extends PricingTerms {
  /** Flat prices; usage prices are always in arrears. */
  payment_term: PaymentTerm;
  /** `percentage` is a decimal text. */
  discounts?: { percentage?: string; usage?: string };
}

export interface TaxConfig {
  behavior?: 'inclusive' | 'exclusive';
  taxCodeId: string;
}

/** What a subscriber may use of the card's feature. */
export type EntitlementTemplate =
  | {
      type: 'metered';
      /** Decimal text in the feature's unit, issued at the start of each usage period; missing in a draft only. */
      limit?: string;
      /** Access stays when the limit is used up. */
      isSoftLimit: boolean;
      /** ISO 8601 duration after which usage starts at zero again; the card's billing cadence unless given. */
      usagePeriod: string;
    }
  | {
      type: 'static';
      /** JSON text: parse it with platform/json.ts, which keeps numbers that a double would change. */
      configJson: string;
    }
  | { type: 'boolean' };

/** Price and access of one feature or fee. */
export interface RateCard {
  /** Unique in its phase or add-on; the feature's key when there is a feature. */
  key: string;
  name: string;
  description?: string;
  labels?: Labels;
  /** The feature that is priced or granted; its key is the card's. */
  featureId?: string;
  /** Code of the currency where it differs from the plan's or add-on's. */
  currency?: string;
  /** ISO 8601 duration between two charges; missing for a one-time fee. */
  billingCadence?: string;
  terms: RateCardTerms;
  taxConfig?: TaxConfig;
  entitlement?: EntitlementTemplate;
}

/** A stretch of a subscription with its own rate cards. */
export interface Phase {
  /** Unique in its plan. */
  key: string;
  name: string;
  description?: string;
  labels?: Labels;
  /** ISO 8601 duration; missing on the last phase, which lasts as long as the subscription. */
  duration?: string;
  rateCards: readonly RateCard[];
}

/** How charges are settled. */
export type SettlementMode = 'credit_then_invoice' | 'credit_only';

/** When a version is in force, RFC 3339 in UTC: a version without `effectiveFrom` is a draft. */
export interface EffectivePeriod {
  effectiveFrom?: string;
  effectiveTo?: string;
}

/** One thing that keeps a draft from being published, or a request from being saved. */
export interface CatalogIssue {
  code: string;
  /** Dotted path in the resource ("phases.0.rate_cards.1.feature"). */
  field: string;
  message: string;
  /** `critical`: not even a draft may have it. `warning`: listed in `validation_errors`, refused at publishing. */
  severity: 'critical' | 'warning';
  attributes?: Record<string, unknown>;
}
