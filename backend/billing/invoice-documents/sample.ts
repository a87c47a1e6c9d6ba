/** An invoice of nothing real, to look at how documents of a profile are. */
import { NO_TOTALS, type Totals } from '../../catalog/rating/index.ts';
import type { StoredProfile } from '../billing-profiles/index.ts';
import type { Invoice, InvoiceLine } from '../invoice-records/index.ts';

const DAY_MS = 86_400_000;
const TAX = { category: 'standard' as const, percentage: '20', name: '20 %' };
const TOTALS: Totals = { ...NO_TOTALS, amount: '80', taxesTotal: '16', taxesExclusiveTotal: '16', total: '96' };

/** 80 and a tax of 20 %, issued now to a customer of the supplier's country. */
export function sampleInvoice({ profile, adjustments }: StoredProfile, nowMs: number) {
  const { key: _, ...supplier } = profile.supplier;
  const country = supplier.addresses?.billing_address?.country;
  const servicePeriod = { fromMs: nowMs - 30 * DAY_MS, toMs: nowMs };
  const invoice: Invoice = {
    id: '',
    customerId: '',
    currency: 'USD',
    number: 'SAMPLE-1',
    status: 'issued',
    version: 1,
    profileId: profile.id,
    appId: profile.apps.invoicing.id,
    appType: 'sandbox',
    supplier,
    customer: {
      id: '',
      key: 'sample',
      name: 'Sample Customer Ltd.',
      billing_address: { line1: '1 Sample Street', city: 'Sampleton', ...(country !== undefined && { country }) },
    },
    workflow: profile.workflow,
    adjustments,
    metadata: {},
    totals: TOTALS,
    taxes: [{ ...TAX, base: '80', amount: '16' }],
    servicePeriod,
    issues: [],
    issuedAtMs: nowMs,
    dueAtMs: nowMs + 30 * DAY_MS,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  return { invoice, lines: [sampleLine(servicePeriod, nowMs)] };
}

function sampleLine(servicePeriod: InvoiceLine['servicePeriod'], nowMs: number): InvoiceLine {
  return {
    id: '',
    invoiceId: '',
    position: 0,
    kind: 'manual',
    controller: 'manual',
    name: 'Sample',
    terms: { price: { type: 'unit', amount: '0.2' } },
    tax: TAX,
    featureKey: 'api_requests',
    servicePeriod,
    fullServicePeriod: servicePeriod,
    invoiceAtMs: nowMs,
    splitPosition: 'single',
    previousQuantity: '0',
    previouslyBilledAmount: '0',
    rated: {
      detailedLines: [
        {
          id: '',
          name: 'Sample',
          childUniqueReferenceId: 'usage',
          category: 'regular',
          paymentTerm: 'in_arrears',
          quantity: '400',
          unitPrice: '0.2',
          discounts: [],
          creditsApplied: [],
          totals: TOTALS,
          explanation: [],
        },
      ],
      totals: TOTALS,
      rawQuantity: '400',
      invoicedQuantity: '400',
      usageDiscount: null,
      explanation: [],
    },
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
