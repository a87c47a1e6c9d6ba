import { defined } from '../../../platform/defined.ts';
import { notFound } from '../../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../../platform/http/paging.ts';
import { formatInstant } from '../../../platform/instant.ts';
import { toTextPeriod } from '../charges/wanted.ts';
import { atCustomersTime } from '../customer-time.ts';
import type { InvoicesDeps } from '../deps.ts';
import type { Correction } from '../types.ts';
import { correctionRepository } from './repository.ts';
import type { CorrectionBody } from './schema.ts';
import { correctUsageOfCustomer } from './usage.ts';

export interface CorrectionsService {
  /** The newest first. Looks again at what was billed lately. @throws RequestProblem 404 */
  list(customerId: string, page: PageRequest): Promise<{ data: CorrectionBody[]; meta: ReturnType<typeof pageMeta> }>;
}

export function createCorrectionsService(anyDeps: InvoicesDeps): CorrectionsService {
  return {
    list: async (customerId, page) => {
      if ((await anyDeps.findCustomer(customerId, anyDeps.db)) === undefined) throw notFound('customer', customerId);
      const deps = await atCustomersTime(anyDeps, customerId);
      await correctUsageOfCustomer(deps, customerId);
      const { corrections, total } = await correctionRepository(deps.db).page(customerId, page);
      return { data: corrections.map(toBody), meta: pageMeta(page, total) };
    },
  };
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
