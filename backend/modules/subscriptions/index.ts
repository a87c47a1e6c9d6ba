/** Subscriptions: which customer uses what, on which terms, in which period. */
export { billingPeriodAt, billingPeriodWithin } from './billing-period.ts';
export { type LineRange, type SubscriptionLine, subscriptionLines } from './lines.ts';
export type { SubscriptionStatus } from './types.ts';
export type { ItemView, PhaseView, SubscriptionView } from './view.ts';
