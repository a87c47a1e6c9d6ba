import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { CreditsDeps } from './deps.ts';
import { createCreditReading } from './reading.ts';
import { grantRoutes, ledgerRoutes } from './routes.ts';
import { createCreditsService } from './service.ts';

export type { CreditsDeps } from './deps.ts';
export {
  type CreditUse,
  type CreditUses,
  drawCredits,
  expiriesOf,
  type Payable,
  type PayableRun,
  releaseRuns,
  simulateDraws,
} from './draws.ts';
export { creditLeft, creditRecords } from './left.ts';
export type { RunningCharge } from './live.ts';
export { type PurchaseStep, purchasesAmong, purchasesFollow } from './purchases.ts';
export type { LedgerRecords } from './types.ts';

/** Prepaid credits of customers, over the API. */
export function creditRoutes(router: Router, scope: Scope, deps: CreditsDeps): void {
  const service = createCreditsService(scope, deps);
  grantRoutes(router, service);
  ledgerRoutes(router, service, createCreditReading(scope, deps));
}
