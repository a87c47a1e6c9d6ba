import type { Features } from '../../catalog/features/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';
import type { App } from '../apps/index.ts';

export interface InvoicesDeps extends AdjustmentsDeps {
  findApp(id: string, scope: Scope): Promise<App | undefined>;
  findFeaturesByKey: Features['findByKeys'];
  /** The organization's tax code for invoices, and whether it is the one that says nothing. */
  invoicingTaxCode(scope: Scope): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
}
