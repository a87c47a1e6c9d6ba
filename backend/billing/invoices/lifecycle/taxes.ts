/** The taxes of an invoice's lines, and of the whole. */
import { isDeepStrictEqual } from 'node:util';
import { sumTotals } from '../../../catalog/rating/index.ts';
import { mapInSlices } from '../../../platform/in-slices.ts';
import type { Currency } from '../../../platform/money.ts';
import type { Scope } from '../../../platform/scope.ts';
import type { Invoice, InvoiceCustomer, InvoiceLine, StoredRating } from '../../invoice-records/index.ts';
import {
  chooseTax,
  createTally,
  NO_CUSTOMER_TAX,
  type Tax,
  type TaxParties,
  type TaxRules,
  type TaxTally,
} from '../../tax/index.ts';
import type { InvoicesDeps } from '../deps.ts';
import type { Moving } from './moving.ts';

/** Who sells, and who buys. */
export type Parties = Pick<Invoice, 'supplier'> & { customer: Pick<InvoiceCustomer, 'billing_address'> };

export function partiesOf({ supplier, customer }: Parties, taxes: Pick<TaxRules, 'customer'>): TaxParties {
  return {
    supplierCountry: supplier.addresses?.billing_address?.country,
    supplierTaxId: supplier.tax_id?.code,
    customerCountry: customer.billing_address?.country,
    customer: taxes.customer,
  };
}

/** What an invoice's taxes depend on besides. An app that computes them itself is told nothing of rates here. */
export async function taxRulesOf(
  deps: Pick<InvoicesDeps, 'rails' | 'taxRules'>,
  scope: Scope,
  { appType, customerId }: Pick<Invoice, 'appType' | 'customerId'>,
): Promise<TaxRules> {
  if (deps.rails[appType].computesTaxes === true) return { rates: [], customer: NO_CUSTOMER_TAX };
  return deps.taxRules(customerId, scope);
}

/** The invoice with the taxes of its lines: as the rates and the customer are now. Lines that stay as they are stay the same. */
export async function withTaxes(moving: Moving): Promise<Moving> {
  const { invoice, currency, taxes } = moving;
  const { enabled } = invoice.workflow.tax;
  const parties = partiesOf(invoice, taxes);
  const chosen = new Map<string | undefined, Tax | undefined>();
  const choose = (code: string | undefined) => {
    if (!chosen.has(code)) chosen.set(code, enabled ? chooseTax(taxes.rates, parties, code) : undefined);
    return chosen.get(code);
  };
  const tally = createTally(currency);
  const lines = await mapInSlices(moving.lines, (line) => {
    if (line.deletedAtMs !== undefined || line.rated === undefined) return line;
    return taxedLine(line, line.rated, choose(line.taxConfig?.taxCodeId), tally, currency);
  });
  const { taxes: _, customerTax: __, ...rest } = invoice;
  const groups = tally.groups();
  const head = groups.length === 0 ? rest : { ...rest, taxes: groups, customerTax: taxes.customer };
  return { ...moving, invoice: head, lines };
}

function taxedLine(
  line: InvoiceLine,
  rated: StoredRating,
  tax: Tax | undefined,
  tally: TaxTally,
  currency: Currency,
): InvoiceLine {
  const isInclusive = line.taxConfig?.behavior === 'inclusive';
  const detailedLines = rated.detailedLines.map((detail) => {
    const totals = tally.add(detail.totals, tax, isInclusive);
    return isDeepStrictEqual(totals, detail.totals) ? detail : { ...detail, totals };
  });
  const isSame = detailedLines.every((detail, index) => detail === rated.detailedLines[index]);
  if (isSame && isDeepStrictEqual(line.tax, tax)) return line;
  const totals = sumTotals(
    detailedLines.map((detail) => detail.totals),
    currency,
  );
  const { tax: _, ...rest } = line;
  return { ...rest, rated: { ...rated, detailedLines, totals }, ...(tax !== undefined && { tax }) };
}
