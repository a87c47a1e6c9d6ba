/**
 * What plans and add-ons have in common, and subscriptions copy from them: rate cards and phases, their rules, and the
 * life of a version. Pure: no database, no clock.
 */
export { toValidationErrors, type ValidationErrorBody, validationErrorSchema } from './issue-schema.ts';
export { statusAt, type VersionStatus } from './lifecycle.ts';
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
export {
  currencyCodeSchema,
  MAX_PHASES,
  MAX_RATE_CARDS,
  type PhaseInput,
  phaseSchema,
  type RateCardInput,
  rateCardSchema,
} from './rate-card-schema.ts';
export type * from './types.ts';
