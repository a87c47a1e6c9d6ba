import type { ControlDb } from '../../platform/db/control-db.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import type { TrackJob } from '../../platform/job-log.ts';
import type { Logger } from '../../platform/log.ts';
import { billCustomer } from './bill-customer.ts';
import { chargeRepository } from './charges/repository.ts';
import { createChargesService } from './charges/service.ts';
import { correctionRepository } from './corrections/repository.ts';
import { billingCorrectionRoutes } from './corrections/routes.ts';
import { createCorrectionsService } from './corrections/service.ts';
import { chargeRoutes, customerInvoiceRoutes } from './customer/routes.ts';
import { atCustomersTime } from './customer-time.ts';
import type { InvoicesDeps } from './deps.ts';
import { documentRoutes } from './documents/routes.ts';
import { createDocumentService } from './documents/service.ts';
import { customerHasCharges, invoiceProblem } from './errors.ts';
import { legacyExternalInvoicingRoutes } from './external/legacy-routes.ts';
import { externalInvoicingRoutes } from './external/routes.ts';
import { createExternalInvoicing } from './external/service.ts';
import { invoiceNow } from './invoice-now.ts';
import { runRepository } from './jobs/repository.ts';
import { billingRunRoutes } from './jobs/routes.ts';
import { type BillingRunner, createBillingRunner } from './jobs/runner.ts';
import { scheduleBilling } from './jobs/schedule.ts';
import { moveInvoice } from './lifecycle/advance.ts';
import { usageNeededFromMs } from './needed-usage.ts';
import { previewInvoice } from './preview.ts';
import { invoiceRepository } from './repository.ts';
import { revenueRoutes } from './revenue/routes.ts';
import { createRevenueService } from './revenue/service.ts';
import { invoiceRoutes } from './routes.ts';
import { createInvoicesService, type InvoicesService } from './service.ts';
import { simulateInvoice } from './simulate.ts';
import { traceRoutes } from './trace/routes.ts';
import { createTraceService } from './trace/service.ts';
import type { Invoice } from './types.ts';

export type { InvoicesDeps } from './deps.ts';
export { whyNoTax } from './lifecycle/tax.ts';
export { INVOICES_SEARCHED } from './repository.ts';
export type { Invoice, InvoiceLine } from './types.ts';

/** A billing run that has ended. */
export interface LastBillingRun {
  createdAtMs: number;
  finishedAtMs: number;
  /** Customers and invoices that were looked at, and those of them that failed. */
  done: number;
  failed: number;
}

/** Invoices: charges, the invoice in the making, standard invoices and their life. */
export interface Invoices extends InvoicesService {
  routes(router: Router): void;
  /** What the v1 API calls custom invoicing. */
  legacyRoutes(router: Router): void;
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

/** @param deps.clock the real one; sandbox customers' own clocks are asked for each customer */
export function createInvoices(deps: InvoicesDeps & { log: Logger }): Invoices {
  const service = createInvoicesService(deps);
  const runner = createBillingRunner(deps);
  const { db, clock, log } = deps;
  return {
    ...service,
    legacyRoutes: (router) => legacyExternalInvoicingRoutes(router, createExternalInvoicing(deps)),
    routes: (router) => {
      invoiceRoutes(router, service);
      chargeRoutes(router, createChargesService(deps));
      billingRunRoutes(router, {
        list: (page) => runRepository(db).page(page),
        find: (id) => runRepository(db).byId(id),
        nowMs: clock.nowMs,
        start: async (asOfMs, isFull) => {
          const run = await runner.request({ asOfMs, isFull, startedBy: 'api' });
          runner.work().catch((error: unknown) => log.error({ err: error }, 'billing failed'));
          return run;
        },
      });
      revenueRoutes(router, createRevenueService(deps));
      documentRoutes(router, createDocumentService(deps));
      traceRoutes(router, createTraceService(deps));
      billingCorrectionRoutes(router, createCorrectionsService(deps));
      externalInvoicingRoutes(router, createExternalInvoicing(deps));
      customerInvoiceRoutes(router, {
        preview: (customerId, currency) => previewInvoice(deps, customerId, { currency }),
        simulate: (customerId, request) => simulateInvoice(deps, customerId, request),
        invoiceNow: async (customerId, { as_of, charge_ids, progressive_billing }) => {
          const made = await invoiceNow(deps, {
            customerId,
            asOfMs: as_of === undefined ? undefined : Date.parse(as_of),
            chargeIds: charge_ids,
            isProgressive: progressive_billing,
          });
          const invoices: Awaited<ReturnType<InvoicesService['get']>>[] = [];
          for (const { id } of made) invoices.push(await service.get(id));
          return invoices;
        },
      });
    },
    billCustomer: (customerId) => billCustomer(deps, customerId),
    runner,
    schedule: (track) => scheduleBilling({ db, clock, log, runner, track, heldBack: deps.heldBack }),
    usageNeededFromMs: () => usageNeededFromMs(db, clock.nowMs()),
    lastRun: async () => {
      const run = await runRepository(db).lastFinished();
      return run?.finishedAtMs === undefined ? undefined : { ...run, finishedAtMs: run.finishedAtMs };
    },
    catchUp: async (customerId) => {
      await billCustomer(deps, customerId);
      const { clock: own } = await atCustomersTime(deps, customerId);
      for (const id of await invoiceRepository(db).toWakeOf(customerId, own.nowMs())) await moveInvoice(deps, id);
    },
  };
}

/** What other modules want to know of invoices, inside their transactions. */
export const invoicesInUse = {
  /** Customers with invoices that are not final. */
  customersWithOpen: (db: ControlDb): Promise<string[]> => invoiceRepository(db).customersWithOpen(),
  /** Invoices that are not final, by profile, app or customer: the first few. */
  open: (db: ControlDb, of: { customerId?: string; profileId?: string; appId?: string }) =>
    invoiceRepository(db).open(of, MAX_NAMED),
  /** Why a customer cannot be deleted: invoices that are not final, charges that are on none yet, what it has to get back. */
  blockDeletion: async (customerId: string, db: ControlDb): Promise<DomainProblem | undefined> => {
    const open = await invoiceRepository(db).open({ customerId }, MAX_NAMED);
    const charges = (await chargeRepository(db).open(customerId)).length;
    const owed = await correctionRepository(db).owed(customerId);
    if (open.length === 0 && charges === 0) {
      if (owed.length === 0) return undefined;
      const sums = owed.map(({ currency, amount }) => `${amount} ${currency}`).join(', ');
      return invoiceProblem('customer_has_open_credit', sums, { attributes: { owed } });
    }
    const named = [
      ...open.map(({ number }) => number),
      ...(charges === 0 ? [] : [`${charges} charges are still to be invoiced`]),
    ];
    return invoiceProblem('customer_has_open_invoices', named.join(', '), {
      attributes: { invoices: open.map(({ id, number }) => ({ id, number })), charges },
    });
  },
  /** Why a customer cannot get another time than it has: its charges would lie in a past or a future that never was. */
  blockTimeTravel: async (customerId: string, db: ControlDb): Promise<DomainProblem | undefined> =>
    (await chargeRepository(db).hasAny(customerId)) ? customerHasCharges() : undefined,
};

/** Invoices named in an answer that refuses something. */
const MAX_NAMED = 20;
