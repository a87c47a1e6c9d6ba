import { DRAFT_SYNCED_AT, FINALIZED_AT, type Rail } from '../../billing/invoices/index.ts';

/** Invoices stand in Stripe as well, which gives them their numbers, computes taxes and collects. */
export const stripeRail: Rail = {
  // Until Stripe's number is there; it is before the invoice is issued.
  numberPrefix: 'INV',
  computesTaxes: true,
  whyNoTax: ({ billing_address }) =>
    billing_address?.country === undefined
      ? 'taxes are enforced, and the customer has no billing address with a country to compute them for'
      : undefined,
  awaitsDraft: ({ metadata }) => metadata[DRAFT_SYNCED_AT] === undefined,
  awaitsIssue: ({ metadata }) => metadata[FINALIZED_AT] === undefined,
  settle: () => undefined,
  whyNoRecord: 'record it in Stripe, as paid out of band: it is taken over from there',
};
