/**
 * What customers may still use for the credit that they have, while they use it: for gateways, which ask ahead of usage.
 * Bills nothing: what was let through is rated and drawn from credit as all usage is.
 */
export type { CreditAuthorisationDeps } from './deps.ts';
export { creditAuthorisationRoutes } from './routes.ts';
export { findCredit } from './service.ts';
