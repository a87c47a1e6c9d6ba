/** What customers are charged for, and when: what subscriptions ask for, and what a person adds. Knows no invoice. */
export { type ChargeChange, compareCharges } from './compare.ts';
export { currencyOf } from './currency-of.ts';
export type { ChargesDeps } from './deps.ts';
export { dueInstants, isOpen } from './due.ts';
export { chargeProblem, chargeReferenceTaken, customerHasCharges } from './errors.ts';
export { type ChargeSortField, chargeRepository } from './repository.ts';
export { scheduleRepository } from './schedule/repository.ts';
export type { Charge, ChargeContent, Labels, SubscriptionRef, TaxRef, WantedCharge } from './types.ts';
export { upcomingCharges } from './upcoming.ts';
export { horizonMs } from './wanted.ts';
export { wantedUntil } from './wanted-until.ts';
