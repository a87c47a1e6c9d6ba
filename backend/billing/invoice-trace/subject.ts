/** What can be traced back to events: a line of an invoice, or a charge that is still running. */

import type { UsageMoment } from '../../metering/usage-store/index.ts';
import { notFound } from '../../platform/errors.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Adjustment, adjustmentRepository } from '../adjustments/index.ts';
import { type Charge, chargeRepository } from '../charges/index.ts';
import { type InvoiceLine, invoiceRepository, lineRepository } from '../invoice-records/index.ts';
import { invoiceNotFound } from '../invoices/index.ts';

/** What is traced, and as of when. */
export interface Traced {
  customerId: string;
  line?: InvoiceLine;
  charge?: Charge;
  adjustment?: Adjustment;
  name: string;
  featureId?: string;
  period: Period;
  quantity?: string;
  countedAtMs?: number;
  /** undefined: now */
  moment?: UsageMoment;
}

/** @throws RequestProblem 404 */
export async function tracedLine(scope: Scope, invoiceId: string, lineId: string): Promise<Traced> {
  const invoice = await invoiceRepository(scope).byId(invoiceId);
  if (invoice === undefined) throw invoiceNotFound(invoiceId);
  const line = await lineRepository(scope).byId(lineId);
  if (line?.invoiceId !== invoiceId) throw notFound('invoice line', lineId);
  const charge = line.chargeId === undefined ? undefined : await chargeRepository(scope).byId(line.chargeId);
  const adjustment =
    line.adjustmentId === undefined ? undefined : await adjustmentRepository(scope).byId(line.adjustmentId);
  const featureId = line.featureId ?? charge?.featureId;
  return {
    customerId: invoice.customerId,
    line,
    ...(charge !== undefined && { charge }),
    ...(adjustment !== undefined && { adjustment }),
    name: line.name,
    ...(featureId !== undefined && { featureId }),
    period: line.servicePeriod,
    ...(line.quantity !== undefined && { quantity: line.quantity }),
    ...(line.snapshottedAtMs !== undefined && { countedAtMs: line.snapshottedAtMs }),
    ...momentOf(line),
  };
}

function momentOf(line: InvoiceLine): Pick<Traced, 'moment'> {
  if (line.snapshot !== undefined) return { moment: { snapshot: line.snapshot } };
  return line.snapshottedAtMs === undefined ? {} : { moment: { atMs: line.snapshottedAtMs } };
}

/** @throws RequestProblem 404 */
export async function tracedCharge(scope: Scope, customerId: string, chargeId: string): Promise<Traced> {
  const charge = await chargeRepository(scope).byId(chargeId);
  if (charge?.customerId !== customerId) throw notFound('charge', chargeId);
  return {
    customerId,
    charge,
    name: charge.name,
    ...(charge.featureId !== undefined && { featureId: charge.featureId }),
    period: charge.servicePeriod,
  };
}
