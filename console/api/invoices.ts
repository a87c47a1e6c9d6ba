import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Invoice = components['schemas']['BillingInvoice'];
export type InvoiceLine = NonNullable<Invoice['lines']>[number];

/** A page of invoices. */
export function useInvoices(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['invoices', 'list', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/billing/invoices', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useInvoice(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['invoices', 'one', id],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}', { params: { path: { invoiceId: toValue(id) } }, signal }),
      ),
  });
}

/** What would be billed for the period so far. */
export function useInvoicePreview(customerId: MaybeRefOrGetter<string>, isWanted: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ['invoices', 'preview', customerId],
    enabled: () => toValue(isWanted),
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/invoice-preview', {
          params: { path: { customerId: toValue(customerId) } },
          signal,
        }),
      ),
    retry: false,
  });
}

/** Actions on an invoice that the server may offer in its status. */
export const INVOICE_ACTIONS = [
  'advance',
  'approve',
  'retry',
  'snapshot-quantities',
  'void',
  'mark-uncollectible',
] as const;
export type InvoiceAction = (typeof INVOICE_ACTIONS)[number];

export function useInvoiceChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['invoices'] });
  return {
    act: useMutation({
      mutationFn: ({ id, action }: { id: string; action: InvoiceAction }) => {
        const params = { path: { invoiceId: id } };
        switch (action) {
          case 'advance':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/advance', { params }));
          case 'approve':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/approve', { params }));
          case 'retry':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/retry', { params }));
          case 'snapshot-quantities':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/snapshot-quantities', { params }));
          case 'void':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/void', { params }));
          case 'mark-uncollectible':
            return call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/mark-uncollectible', { params }));
        }
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (invoiceId: string) =>
        call(api.DELETE('/v3/openmeter/billing/invoices/{invoiceId}', { params: { path: { invoiceId } } })),
      onSuccess,
    }),
  };
}
