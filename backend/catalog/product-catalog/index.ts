/**
 * What plans and add-ons have in common, and subscriptions copy from them: rate cards and phases, their rules, and the
 * life of versions.
 */
export { cadencesAlign, isAtLeastAnHour, isSameCadence } from './cadence.ts';
export { issuesProblem } from './errors.ts';
export { catalogBlocksArchiving } from './feature-users.ts';
export { ISSUE_CODES, type IssueCode, issue } from './issue-codes.ts';
export { toValidationErrors, type ValidationErrorBody, validationErrorSchema } from './issue-schema.ts';
export { createVersionLifecycle, type VersionLifecycle } from './lifecycle.ts';
export {
  fromPhase,
  fromRateCard,
  type PhaseBody,
  phasesFromJson,
  phasesToJson,
  type RateCardBody,
  rateCardsFromJson,
  rateCardsToJson,
  toPhase,
  toRateCard,
} from './rate-card-mapping.ts';
export { findCurrencyIssues, findRateCardIssues, hasUsagePrice, isPriced } from './rate-card-rules.ts';
export {
  currencyCodeSchema,
  MAX_PHASES,
  type PhaseInput,
  phaseSchema,
  phasesSchema,
  type RateCardInput,
  rateCardSchema,
  rateCardsSchema,
} from './rate-card-schema.ts';
export {
  type CatalogLookups,
  type CurrencyFacts,
  catalogLookups,
  type FeatureFacts,
  lookUpReferences,
  type References,
} from './references.ts';
export { versionRepository, versionsSearched } from './repository.ts';
export { statusAt, type VersionStatus } from './status.ts';
export type { JudgedVersion } from './transitions.ts';
export type * from './types.ts';
export type * from './version.ts';
export { type VersionRoutes, versionRoutes } from './version-routes.ts';
