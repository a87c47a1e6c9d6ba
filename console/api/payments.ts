import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type RecordPayment = components['schemas']['RecordInvoicePaymentRequest'];

/** What was paid of an invoice, and what is left. */
export function useInvoicePayments(
  invoiceId: MaybeRefOrGetter<string>,
  parameters: MaybeRefOrGetter<Record<string, string>>,
) {
  return useQuery({
    queryKey: ['invoices', 'payments', invoiceId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}/payments', {
          params: { path: { invoiceId: toValue(invoiceId) }, query: toValue(parameters) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** What happened to an invoice. */
export function useInvoiceTimeline(
  invoiceId: MaybeRefOrGetter<string>,
  parameters: MaybeRefOrGetter<Record<string, string>>,
) {
  return useQuery({
    queryKey: ['invoices', 'timeline', invoiceId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}/timeline', {
          params: { path: { invoiceId: toValue(invoiceId) }, query: toValue(parameters) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** Takes note of a payment; the invoice may be paid by it. */
export function useRecordPayment() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ invoiceId, body }: { invoiceId: string; body: RecordPayment }) =>
      call(api.POST('/v3/openmeter/billing/invoices/{invoiceId}/payments', { params: { path: { invoiceId } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['invoices'] }),
  });
}
