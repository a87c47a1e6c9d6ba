/** Plans: what customers can subscribe to, in versions. */
export type {
  CatalogIssue,
  EntitlementTemplate,
  Labels,
  Phase,
  RateCard,
  RateCardTerms,
  SettlementMode,
  TaxConfig,
} from '../product-catalog/index.ts';
export { fromPlan, type PlanBody, toPlanContent } from './plan-mapping.ts';
export type * from './types.ts';
