/** What each stage of a billing run goes through, and what it does with each item. Items may be done again at any time. */

import type { Scope } from '../../platform/scope.ts';
import { adjustmentRepository, LOOK_BACK_MS } from '../adjustments/index.ts';
import { chargeRepository, scheduleRepository } from '../charges/index.ts';
import { invoiceRepository } from '../invoice-records/index.ts';
import { moveInvoice } from '../invoices/index.ts';
import { invoiceCustomer, syncCustomer } from './bill-customer.ts';
import type { BillingRunsDeps } from './deps.ts';
import type { BillingRun, Stage } from './types.ts';

export interface StageWork {
  /** Items after one, in the order of their ids. */
  next(deps: BillingRunsDeps, scope: Scope, run: BillingRun, afterId: string, limit: number): Promise<string[]>;
  work(deps: BillingRunsDeps, scope: Scope, id: string): Promise<unknown>;
}

/** @param scope of the run's time */
export const STAGE_WORK: Readonly<Record<Stage, StageWork>> = {
  generate: {
    next: async (deps, scope, run, afterId, limit) => {
      const nowMs = scope.clock.nowMs();
      if (!run.isFull) return scheduleRepository(scope).due(nowMs, afterId, limit);
      const subscribers = await deps.listSubscribers(afterId === '' ? undefined : afterId, limit, scope);
      // Twice as long as usage is looked at again: who stood still for a while finds what arrived before.
      const sinceMs = nowMs - 2 * LOOK_BACK_MS;
      const others = await chargeRepository(scope).customersBilledByHand(sinceMs, afterId, limit);
      return [...new Set([...subscribers, ...others])].sort().slice(0, limit);
    },
    work: async (deps, scope, customerId) => {
      const [failed] = await syncCustomer(deps, scope, customerId);
      if (failed === undefined) return;
      throw new Error(`charge ${failed.chargeId} could not be counted again`, { cause: failed.error });
    },
  },
  collect: {
    next: async (_deps, scope, _run, afterId, limit) => {
      const due = await chargeRepository(scope).customersWithDue(scope.clock.nowMs(), afterId, limit);
      const owing = await adjustmentRepository(scope).customersWithLastDebit(afterId, limit);
      return [...new Set([...due, ...owing])].sort().slice(0, limit);
    },
    work: invoiceCustomer,
  },
  advance: {
    next: (_deps, scope, _run, afterId, limit) =>
      invoiceRepository(scope).toWake('draft', scope.clock.nowMs(), afterId, limit),
    work: (deps, scope, id) => moveInvoice(deps, scope, id),
  },
  overdue: {
    next: (_deps, scope, _run, afterId, limit) =>
      invoiceRepository(scope).toWake('issued', scope.clock.nowMs(), afterId, limit),
    work: (deps, scope, id) => moveInvoice(deps, scope, id),
  },
};

/** Ids are counted a page at a time; a million subscribers are a second's work. */
const COUNT_PAGE = 10_000;

/** What there is to do in a stage now. */
export async function countItems(deps: BillingRunsDeps, scope: Scope, run: BillingRun, stage: Stage): Promise<number> {
  let count = 0;
  let afterId = '';
  for (;;) {
    const ids = await STAGE_WORK[stage].next(deps, scope, run, afterId, COUNT_PAGE);
    count += ids.length;
    if (ids.length < COUNT_PAGE) return count;
    afterId = ids.at(-1) ?? '';
  }
}
