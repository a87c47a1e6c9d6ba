import type { Currency } from '../../../platform/money.ts';
import type { Charge } from '../../charges/index.ts';
import type { Invoice, InvoiceLine } from '../../invoice-records/index.ts';
import type { TaxRules } from '../../tax/index.ts';

/** An invoice on its way, with all its lines. */
export interface Moving {
  /** That of the invoice. */
  currency: Currency;
  /** What its taxes depend on besides, as of now. */
  taxes: TaxRules;
  invoice: Invoice;
  lines: InvoiceLine[];
  /** Of lines that a person has added. */
  newCharges?: readonly Charge[];
}
