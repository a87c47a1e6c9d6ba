import { DRAFT_SYNCED_AT, FINALIZED_AT, type Rail } from '../../billing/invoices/index.ts';

/** Hands invoices to a system of the operator's, which reports what became of them; without its two hooks it only reports payments. */
export const externalRail: Rail = {
  numberPrefix: 'INV',
  whyNoTax: ({ billing_address }) =>
    billing_address?.country === undefined
      ? 'taxes are enforced, and the customer has no billing address with a country to compute them for'
      : undefined,
  awaitsDraft: ({ metadata }, app) =>
    app?.type === 'external_invoicing' && app.enable_draft_sync_hook && metadata[DRAFT_SYNCED_AT] === undefined,
  awaitsIssue: ({ metadata }, app) =>
    app?.type === 'external_invoicing' && app.enable_issuing_sync_hook && metadata[FINALIZED_AT] === undefined,
  settle: () => undefined,
};
