import { customerScope } from '../../customers/test-clocks/index.ts';
import { isNegative } from '../../platform/decimal-texts.ts';
import { defined } from '../../platform/defined.ts';
import { notFound } from '../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { adjustmentProblem, adjustmentSettled } from './errors.ts';
import { adjustmentRepository } from './repository.ts';
import type { AdjustmentBody, SettleAdjustment } from './schema.ts';
import type { Adjustment } from './types.ts';
import { correctUsageOfCustomer } from './usage.ts';

interface AdjustmentPage {
  data: AdjustmentBody[];
  meta: ReturnType<typeof pageMeta>;
  owed: { currency: string; amount: string }[];
}

export interface AdjustmentsService {
  /** The newest first. Looks again at what was billed lately. @throws RequestProblem 404 */
  list(customerId: string, page: PageRequest): Promise<AdjustmentPage>;
  /** Pays out or writes off what waits for an invoice. @throws RequestProblem 404 @throws DomainProblem 400, 409 */
  settle(customerId: string, id: string, request: SettleAdjustment): Promise<AdjustmentBody>;
}

export function createAdjustmentsService(root: Scope, deps: AdjustmentsDeps): AdjustmentsService {
  return {
    list: async (customerId, page) => {
      if ((await deps.findCustomer(customerId, root)) === undefined) throw notFound('customer', customerId);
      const scope = await customerScope(root, customerId);
      await correctUsageOfCustomer(deps, scope, customerId);
      const { adjustments, total } = await adjustmentRepository(scope).page(customerId, page);
      const owed = await adjustmentRepository(scope).owed(customerId);
      return { data: adjustments.map(toBody), meta: pageMeta(page, total), owed };
    },
    settle: async (customerId, id, request) => {
      const scope = await customerScope(root, customerId);
      return scope.transaction(async (scope) => {
        const adjustment = await adjustmentRepository(scope).byId(id);
        if (adjustment?.customerId !== customerId) throw notFound('billing correction', id);
        if (adjustment.state === request.how) return toBody(adjustment);
        refuseSettlement(adjustment, request);
        const { how: state, note } = request;
        const settled: Adjustment = {
          ...adjustment,
          state,
          settledAtMs: scope.clock.nowMs(),
          ...(note !== undefined && { note }),
        };
        await adjustmentRepository(scope).store([settled]);
        return toBody(settled);
      });
    },
  };
}

function refuseSettlement({ id, state, amount }: Adjustment, { how }: SettleAdjustment): void {
  if (state !== 'pending') throw adjustmentSettled(id, state);
  if (how === 'paid_out' && !isNegative(amount)) {
    throw adjustmentProblem('correction_is_no_credit', amount);
  }
}

function toBody(adjustment: Adjustment): AdjustmentBody {
  const { chargeId, lineId } = adjustment;
  return {
    id: adjustment.id,
    created_at: formatInstant(adjustment.createdAtMs),
    reason: adjustment.reason,
    name: adjustment.name,
    description: adjustment.description,
    currency: adjustment.currency,
    amount: adjustment.amount,
    service_period: toTextPeriod(adjustment.period),
    state: adjustment.state,
    ...defined({
      settled_at: adjustment.settledAtMs === undefined ? undefined : formatInstant(adjustment.settledAtMs),
      note: adjustment.note,
      quantity_before: adjustment.quantityBefore,
      quantity_after: adjustment.quantityAfter,
      charge: chargeId === undefined ? undefined : { id: chargeId },
      line: lineId === undefined ? undefined : { id: lineId },
    }),
  };
}
