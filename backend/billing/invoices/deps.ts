import type { Features } from '../../catalog/features/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';
import type { App } from '../apps/index.ts';
import type { Invoice } from '../invoice-records/index.ts';
import type { Rails } from './rail.ts';

export interface InvoicesDeps extends AdjustmentsDeps {
  findApp(id: string, scope: Scope): Promise<App | undefined>;
  rails: Rails;
  /** An invoice is stored as it has become; called inside the transaction that does it. */
  invoiceMoved(before: Invoice, after: Invoice, scope: Scope): Promise<unknown>;
  findFeaturesByKey: Features['findByKeys'];
  /** The organization's tax code for invoices, and whether it is the one that says nothing. */
  invoicingTaxCode(scope: Scope): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
}
