import type { Router } from '../../platform/http/router.ts';
import { costEstimateRoutes } from './routes.ts';
import { type CostEstimatesDeps, type CostEstimatesService, createCostEstimatesService } from './service.ts';

/** What would it cost: the question behind a price calculator. */
export interface CostEstimates extends CostEstimatesService {
  /** Registers the operation under `/cost-estimates`. */
  routes(router: Router): void;
}

export function createCostEstimates(deps: CostEstimatesDeps): CostEstimates {
  const service = createCostEstimatesService(deps);
  return { ...service, routes: (router) => costEstimateRoutes(router, service) };
}
