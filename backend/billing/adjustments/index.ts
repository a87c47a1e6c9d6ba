import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { billingCorrectionRoutes } from './routes.ts';
import { createCorrectionsService } from './service.ts';

export type { AdjustmentsDeps } from './deps.ts';
export { correctFee } from './fees.ts';
export {
  type CarryContext,
  carriedOver,
  type FittedCorrection,
  fitCorrections,
  isOwed,
  leftOf,
  released,
} from './fit.ts';
export { isLetOff } from './let-off.ts';
export { rateCorrection } from './rate-correction.ts';
export { correctionRepository } from './repository.ts';
export type { Correction } from './types.ts';
export { correctUsageOfCustomer, LOOK_BACK_MS, type Recounted, recountCharge } from './usage.ts';
export { isInForce, withdrawCredits } from './withdraw.ts';

/** Corrections of what was billed, over the API. */
export function adjustmentRoutes(router: Router, scope: Scope, deps: AdjustmentsDeps): void {
  billingCorrectionRoutes(router, createCorrectionsService(scope, deps));
}
