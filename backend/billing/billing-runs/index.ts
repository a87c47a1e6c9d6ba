import { customerScope } from '../../customers/test-clocks/index.ts';
import type { Router } from '../../platform/http/router.ts';
import type { TrackJob } from '../../platform/job-log.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Invoice, invoiceRepository } from '../invoice-records/index.ts';
import { type InvoicesService, moveInvoice } from '../invoices/index.ts';
import { billCustomer } from './bill-customer.ts';
import type { BillingRunsDeps } from './deps.ts';
import { invoiceNow } from './invoice-now.ts';
import { type InvoiceNowBody, invoiceNowRoutes } from './invoice-now-routes.ts';
import { usageNeededFromMs } from './needed-usage.ts';
import { runRepository } from './repository.ts';
import { billingRunRoutes } from './routes.ts';
import { type BillingRunner, createBillingRunner } from './runner.ts';
import { scheduleBilling } from './schedule.ts';

export { syncCustomer } from './bill-customer.ts';
export type { BillingRunsDeps } from './deps.ts';

/** A billing run that has ended. */
export interface LastBillingRun {
  createdAtMs: number;
  finishedAtMs: number;
  /** Customers and invoices that were looked at, and those of them that failed. */
  done: number;
  failed: number;
}

/** Who is billed when: charges follow subscriptions, invoices are made of what is due, and go as far as they can. */
export interface BillingRuns {
  routes(router: Router): void;
  /** The operation that invoices one customer at once. */
  invoiceNowRoutes(router: Router): void;
  /** Bills everybody; nothing runs until it is told to. */
  runner: BillingRunner;
  /** Bills by itself from now on. @returns ends it */
  schedule(track: TrackJob): () => Promise<void>;
  /** From when on billing still reads events one by one; undefined: it reads none. */
  usageNeededFromMs(): Promise<number | undefined>;
  /** How the run went that ended last; undefined: none has. */
  lastRun(): Promise<LastBillingRun | undefined>;
  /** Everything that is due at a sandbox customer's new now: for clocks that are moved. */
  catchUp(customerId: string): Promise<void>;
  /**
   * Everything that is due for one customer: charges, invoices, and how far these go now. To be called after each change
   * of a subscription: fees in advance are invoiced at once.
   */
  billCustomer(customerId: string): Promise<Invoice[]>;
}

/** @param deps.invoices gives answers */
export function createBillingRuns(
  scope: Scope,
  deps: BillingRunsDeps & { invoices: Pick<InvoicesService, 'get'> },
): BillingRuns {
  const runner = createBillingRunner(deps, scope);
  const { log } = scope;
  return {
    routes: (router) =>
      billingRunRoutes(router, {
        list: (page) => runRepository(scope).page(page),
        find: (id) => runRepository(scope).byId(id),
        nowMs: scope.clock.nowMs,
        start: async (asOfMs, isFull) => {
          const run = await runner.request({ asOfMs, isFull, startedBy: 'api' });
          runner.work().catch((error: unknown) => log.error({ err: error }, 'billing failed'));
          return run;
        },
      }),
    invoiceNowRoutes: (router) =>
      invoiceNowRoutes(router, (customerId, request) => answerNow(deps, scope, customerId, request)),
    runner,
    schedule: (track) => scheduleBilling(scope, { runner, track, ...deps }),
    usageNeededFromMs: () => usageNeededFromMs(scope, scope.clock.nowMs()),
    lastRun: async () => {
      const run = await runRepository(scope).lastFinished();
      return run?.finishedAtMs === undefined ? undefined : { ...run, finishedAtMs: run.finishedAtMs };
    },
    catchUp: async (customerId) => {
      await billCustomer(deps, scope, customerId);
      const own = await customerScope(scope, customerId);
      for (const id of await invoiceRepository(own).toWakeOf(customerId, own.clock.nowMs()))
        await moveInvoice(deps, own, id);
    },
    billCustomer: (customerId) => billCustomer(deps, scope, customerId),
  };
}

async function answerNow(
  deps: BillingRunsDeps & { invoices: Pick<InvoicesService, 'get'> },
  scope: Scope,
  customerId: string,
  { as_of, charge_ids, progressive_billing }: InvoiceNowBody,
) {
  const made = await invoiceNow(deps, scope, {
    customerId,
    asOfMs: as_of === undefined ? undefined : Date.parse(as_of),
    chargeIds: charge_ids,
    isProgressive: progressive_billing,
  });
  const answers: Awaited<ReturnType<InvoicesService['get']>>[] = [];
  for (const { id } of made) answers.push(await deps.invoices.get(id));
  return answers;
}
