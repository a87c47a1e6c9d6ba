/** Which tax is on a line. Pure. */
import type { CustomerTax, TaxCategory, TaxRate } from './schema.ts';
import { countryOfVatId, isInEu } from './vat-ids.ts';

/** What of a rate stays on an invoice. */
export interface Tax {
  category: TaxCategory;
  /** Decimal text, "19". */
  percentage: string;
  name: string;
  reason?: string;
}

/** What is known of both sides. */
export interface TaxParties {
  supplierCountry: string | undefined;
  supplierTaxId: string | undefined;
  customerCountry: string | undefined;
  customer: CustomerTax;
}

/** Article 196 of the VAT directive: a service between businesses of two member states is taxed where the buyer is. */
const REVERSE_CHARGE: Tax = { category: 'reverse_charge', percentage: '0', name: 'Reverse charge' };

/**
 * What the customer is comes first, then the reverse charge between businesses of two member states, then the rate that is
 * for most of: its country, its code, its kind of customer.
 * @param taxCodeId of the line; undefined: it has none
 * @returns undefined when no rate is for it
 */
export function chooseTax(
  rates: readonly TaxRate[],
  parties: TaxParties,
  taxCodeId: string | undefined,
): Tax | undefined {
  const { customer, customerCountry } = parties;
  if (customer.status === 'exempt') {
    const { reason } = customer;
    return { category: 'exempt', percentage: '0', name: 'Exempt', ...(reason !== undefined && { reason }) };
  }
  if (customer.status === 'reverse_charge' || isBetweenEuBusinesses(parties)) return REVERSE_CHARGE;
  const kind = customer.tax_ids.length > 0 ? 'business' : 'consumer';
  const country = customerCountry ?? vatCountry(customer);
  let best: { rate: TaxRate; rank: number } | undefined;
  for (const rate of rates) {
    const isFor =
      (rate.country ?? country) === country &&
      (rate.tax_code?.id ?? taxCodeId) === taxCodeId &&
      (rate.customer_kind ?? kind) === kind;
    const rank =
      (rate.country === undefined ? 0 : 4) +
      (rate.tax_code === undefined ? 0 : 2) +
      (rate.customer_kind === undefined ? 0 : 1);
    if (isFor && (best === undefined || rank > best.rank)) best = { rate, rank };
  }
  if (best === undefined || country === undefined) return undefined;
  const { category, percentage, name, reason } = best.rate;
  return { category, percentage, name, ...(reason !== undefined && { reason }) };
}

function isBetweenEuBusinesses({ supplierCountry, supplierTaxId, customerCountry, customer }: TaxParties): boolean {
  const buyer = vatCountry(customer);
  return (
    supplierTaxId !== undefined &&
    isInEu(supplierCountry) &&
    isInEu(buyer) &&
    buyer !== supplierCountry &&
    isInEu(customerCountry ?? buyer) &&
    customerCountry !== supplierCountry
  );
}

/** The state of the customer's first VAT id. */
function vatCountry({ tax_ids }: CustomerTax): string | undefined {
  const vat = tax_ids.find(({ type }) => type === 'vat');
  return vat && countryOfVatId(vat.value);
}
