import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { InvoicesDeps } from './deps.ts';
import { invoiceRoutes } from './routes.ts';
import { createInvoicesService, type InvoicesService } from './service.ts';

export { fitToDraft } from './adjustments/on-draft.ts';
export { type InvoiceBody, toDiscountsBody, toInvoiceBody, toTotalsBody } from './body.ts';
export { createInvoice, followGathering, gatherOptions, invoiceHead, newLine } from './create-invoice.ts';
export { orderCredit } from './credit-purchases.ts';
export type { InvoiceChange, InvoicesDeps } from './deps.ts';
export { invoiceNotFound, invoiceProblem } from './errors.ts';
export { invoicesInUse } from './in-use.ts';
export { moveInvoice } from './lifecycle/advance.ts';
export { adjustmentLine, rateAll, takeQuantities, withTotals } from './lifecycle/collect.ts';
export { DRAFT_SYNCED_AT, FINALIZED_AT, factsOf, hasLiving, passes } from './lifecycle/facts.ts';
export type { Moving } from './lifecycle/moving.ts';
export { taxDefaultsOf } from './lifecycle/tax-defaults.ts';
export { whyNoTax } from './lifecycle/tax-issue.ts';
export { taxRulesOf } from './lifecycle/taxes.ts';
export { collectedAtMs, collectionAtMs, draftUntilMs } from './lifecycle/times.ts';
export { payableOf, runOf, withCreditUses } from './pay-with-credits.ts';
export type { Rail, Rails } from './rail.ts';
export { type Cuts, cutTotals, readCuts } from './read-cuts.ts';
export { costSoFar, runningCharges } from './running-charges.ts';
export { invoiceSchema } from './schema.ts';
export type { InvoiceAnswer, InvoicesService } from './service.ts';

/** Standard invoices and their life: made of what is due, worked out, edited, issued, paid or void. */
export interface Invoices extends InvoicesService {
  routes(router: Router): void;
}

export function createInvoices(scope: Scope, deps: InvoicesDeps): Invoices {
  const service = createInvoicesService(scope, deps);
  return { ...service, routes: (router) => invoiceRoutes(router, service) };
}
