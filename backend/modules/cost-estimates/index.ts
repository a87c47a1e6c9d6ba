import type { Router } from '../../platform/http/router.ts';
import type { Currencies } from '../currencies/index.ts';
import type { Customers } from '../customers/index.ts';
import type { Features } from '../features/index.ts';
import { costEstimateRoutes } from './routes.ts';
import { type CostEstimatesService, createCostEstimatesService } from './service.ts';

/** What would it cost: the question behind a price calculator. */
export interface CostEstimates extends CostEstimatesService {
  /** Registers the operation under `/cost-estimates`. */
  routes(router: Router): void;
}

export function createCostEstimates(deps: {
  features: Features;
  customers: Pick<Customers, 'findByIds'>;
  currencies: Pick<Currencies, 'find'>;
}): CostEstimates {
  const service = createCostEstimatesService(deps);
  return { ...service, routes: (router) => costEstimateRoutes(router, service) };
}
