import { customerScope } from '../../customers/test-clocks/index.ts';
import { isNegative } from '../../platform/decimal-texts.ts';
import { defined } from '../../platform/defined.ts';
import { notFound } from '../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { correctionProblem, correctionSettled } from './errors.ts';
import { correctionRepository } from './repository.ts';
import type { CorrectionBody, SettleCorrection } from './schema.ts';
import type { Correction } from './types.ts';
import { correctUsageOfCustomer } from './usage.ts';

interface CorrectionPage {
  data: CorrectionBody[];
  meta: ReturnType<typeof pageMeta>;
  owed: { currency: string; amount: string }[];
}

export interface CorrectionsService {
  /** The newest first. Looks again at what was billed lately. @throws RequestProblem 404 */
  list(customerId: string, page: PageRequest): Promise<CorrectionPage>;
  /** Pays out or writes off what waits for an invoice. @throws RequestProblem 404 @throws DomainProblem 400, 409 */
  settle(customerId: string, id: string, request: SettleCorrection): Promise<CorrectionBody>;
}

export function createCorrectionsService(root: Scope, deps: AdjustmentsDeps): CorrectionsService {
  return {
    list: async (customerId, page) => {
      if ((await deps.findCustomer(customerId, root)) === undefined) throw notFound('customer', customerId);
      const scope = await customerScope(root, customerId);
      await correctUsageOfCustomer(deps, scope, customerId);
      const { corrections, total } = await correctionRepository(scope).page(customerId, page);
      const owed = await correctionRepository(scope).owed(customerId);
      return { data: corrections.map(toBody), meta: pageMeta(page, total), owed };
    },
    settle: async (customerId, id, request) => {
      const scope = await customerScope(root, customerId);
      return scope.transaction(async (scope) => {
        const correction = await correctionRepository(scope).byId(id);
        if (correction?.customerId !== customerId) throw notFound('billing correction', id);
        if (correction.state === request.how) return toBody(correction);
        refuseSettlement(correction, request);
        const { how: state, note } = request;
        const settled: Correction = {
          ...correction,
          state,
          settledAtMs: scope.clock.nowMs(),
          ...(note !== undefined && { note }),
        };
        await correctionRepository(scope).store([settled]);
        return toBody(settled);
      });
    },
  };
}

function refuseSettlement({ id, state, amount }: Correction, { how }: SettleCorrection): void {
  if (state !== 'pending') throw correctionSettled(id, state);
  if (how === 'paid_out' && !isNegative(amount)) {
    throw correctionProblem('correction_is_no_credit', amount);
  }
}

function toBody(correction: Correction): CorrectionBody {
  const { chargeId, lineId } = correction;
  return {
    id: correction.id,
    created_at: formatInstant(correction.createdAtMs),
    reason: correction.reason,
    name: correction.name,
    description: correction.description,
    currency: correction.currency,
    amount: correction.amount,
    service_period: toTextPeriod(correction.period),
    state: correction.state,
    ...defined({
      settled_at: correction.settledAtMs === undefined ? undefined : formatInstant(correction.settledAtMs),
      note: correction.note,
      quantity_before: correction.quantityBefore,
      quantity_after: correction.quantityAfter,
      charge: chargeId === undefined ? undefined : { id: chargeId },
      line: lineId === undefined ? undefined : { id: lineId },
    }),
  };
}
