import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { billingAdjustmentRoutes } from './routes.ts';
import { createAdjustmentsService } from './service.ts';

export type { AdjustmentsDeps } from './deps.ts';
export { correctFee } from './fees.ts';
export {
  type CarryContext,
  carriedOver,
  type FittedAdjustment,
  fitAdjustments,
  isOwed,
  leftOf,
  released,
} from './fit.ts';
export { isLetOff } from './let-off.ts';
export { payAdjustment, rateAdjustment } from './rate-adjustment.ts';
export { adjustmentRepository } from './repository.ts';
export type { Adjustment } from './types.ts';
export { correctUsageOfCustomer, LOOK_BACK_MS, type Recounted, recountCharge } from './usage.ts';
export { isInForce, withdrawCredits } from './withdraw.ts';

/** Adjustments of what was billed, over the API. */
export function adjustmentRoutes(router: Router, scope: Scope, deps: AdjustmentsDeps): void {
  billingAdjustmentRoutes(router, createAdjustmentsService(scope, deps));
}
