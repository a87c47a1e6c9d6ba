import type { Features } from '../../catalog/features/index.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { AdjustmentsDeps } from '../adjustments/index.ts';
import type { App } from '../apps/index.ts';

export interface InvoicesDeps extends AdjustmentsDeps {
  findApp(id: string, db: ControlDb): Promise<App | undefined>;
  findFeaturesByKey: Features['findByKeys'];
  /** The organization's tax code for invoices, and whether it is the one that says nothing. */
  invoicingTaxCode(db: ControlDb): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
}
