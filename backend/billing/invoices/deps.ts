import type { Features } from '../../catalog/features/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';
import type { App } from '../apps/index.ts';
import type { CustomerBillingService, ProfilesService } from '../billing-profiles/index.ts';
import type { Invoice, InvoiceLine } from '../invoice-records/index.ts';
import type { TaxService } from '../tax/index.ts';
import type { Rails } from './rail.ts';

/** An invoice as it is stored now, deleted lines and all. */
export interface InvoiceChange {
  invoice: Invoice;
  lines: readonly InvoiceLine[];
  /** undefined: it is new. */
  previous: Invoice | undefined;
}

export interface InvoicesDeps extends AdjustmentsDeps {
  findApp(id: string, scope: Scope): Promise<App | undefined>;
  rails: Rails;
  /** An invoice is made or changed: called inside the transaction, with its scope. */
  onInvoice(change: InvoiceChange, scope: Scope): Promise<void>;
  /** Rates, and what the customer is for them. */
  taxRules: TaxService['rulesFor'];
  /** What documents of an invoice say, as of now. */
  documentOf: CustomerBillingService['documentOf'];
  /** Of a profile, also of one that was deleted meanwhile. */
  storedProfile: ProfilesService['stored'];
  findFeaturesByKey: Features['findByKeys'];
  /** The organization's tax code for invoices, and whether it is the one that says nothing. */
  invoicingTaxCode(scope: Scope): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
}
