import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { cursorOf } from './events.ts';
import type { Invoice, InvoiceLine } from './invoices.ts';
import { refuseIfChanged } from './problem.ts';

export type UpdateInvoice = components['schemas']['UpdateInvoiceRequest'];
export type UpdateLine = components['schemas']['UpdateInvoiceLine'];
export type BillingCorrection = components['schemas']['BillingCorrection'];

interface OfLine {
  invoiceId: string;
  lineId: string;
}

/** How a line came about: from its quantity to its amount, step by step. */
export function useLineExplanation(of: MaybeRefOrGetter<OfLine>) {
  return useQuery({
    queryKey: ['invoices', 'explanation', of],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}/lines/{lineId}/explanation', {
          params: { path: toValue(of) },
          signal,
        }),
      ),
  });
}

/** Exactly the events that a line bills, a page at a time. */
export function useLineEvents(of: MaybeRefOrGetter<OfLine>) {
  return useInfiniteQuery({
    queryKey: ['invoices', 'events', of],
    queryFn: ({ pageParam, signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}/lines/{lineId}/events', {
          params: {
            path: toValue(of),
            query: { 'page[size]': '20', ...(pageParam !== '' && { 'page[after]': pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => cursorOf(last.meta.page.next),
    retry: false,
  });
}

/** Differences to what was billed: usage that came late, events made void, time that was not used. */
export function useBillingCorrections(
  customerId: MaybeRefOrGetter<string>,
  parameters: MaybeRefOrGetter<Record<string, string>>,
) {
  return useQuery({
    queryKey: ['invoices', 'corrections', customerId, parameters],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/billing-corrections', {
          params: { path: { customerId: toValue(customerId) }, query: toValue(parameters) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** What is sent to keep an invoice as it is, but for its lines. */
export function updateOf(invoice: Invoice, lines: readonly UpdateLine[]): UpdateInvoice {
  const { supplier, customer, workflow } = invoice;
  const { auto_advance, draft_period } = workflow.workflow.invoicing;
  return {
    type: 'standard',
    supplier,
    customer,
    workflow: { workflow: { invoicing: { auto_advance, draft_period }, payment: workflow.workflow.payment } },
    lines: [...lines],
    ...(invoice.description !== undefined && { description: invoice.description }),
    ...(invoice.labels !== undefined && { labels: invoice.labels }),
  };
}

/** A line as a change of the invoice names it. */
export function updateLineOf(line: InvoiceLine): UpdateLine {
  const { price, tax_config, feature_key, discounts } = line.rate_card;
  return {
    type: 'standard_line',
    id: line.id,
    name: line.name,
    ...(line.description !== undefined && { description: line.description }),
    ...(line.labels !== undefined && { labels: line.labels }),
    service_period: line.service_period,
    rate_card: {
      price,
      ...(tax_config !== undefined && { tax_config }),
      ...(feature_key !== undefined && { feature_key }),
      ...(discounts !== undefined && { discounts }),
    },
  };
}

interface SettledCorrection {
  customerId: string;
  correctionId: string;
  how: 'paid_out' | 'written_off';
}

export function useInvoiceEdits() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['invoices'] });
  return {
    /** Puts the lines of a draft. @throws ApiProblem 409 when the invoice changed since it was read */
    putLines: useMutation({
      mutationFn: async ({ invoice, lines }: { invoice: Invoice; lines: readonly UpdateLine[] }) => {
        const params = { path: { invoiceId: invoice.id } };
        refuseIfChanged(
          'invoice',
          invoice,
          await call(api.GET('/v3/openmeter/billing/invoices/{invoiceId}', { params })),
        );
        const body = updateOf(invoice, lines);
        return call(api.PUT('/v3/openmeter/billing/invoices/{invoiceId}', { params, body }));
      },
      onSuccess,
    }),
    /** Pays out or writes off what waits for an invoice. */
    settleCorrection: useMutation({
      mutationFn: ({ customerId, correctionId, how }: SettledCorrection) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/billing-corrections/{correctionId}/settle', {
            params: { path: { customerId, correctionId } },
            body: { how },
          }),
        ),
      onSuccess,
    }),
    /** Makes an invoice of what is due now, rather than at the end of the period. */
    invoiceNow: useMutation({
      mutationFn: ({ customerId, isProgressive }: { customerId: string; isProgressive: boolean }) =>
        call(
          api.POST('/v3/openmeter/customers/{customerId}/invoices', {
            params: { path: { customerId } },
            body: { progressive_billing: isProgressive },
          }),
        ),
      onSuccess,
    }),
  };
}

/** Saves the invoice as a PDF; a plain link would show an error as a page. @throws ApiProblem */
export async function downloadPdf({ id, number }: Pick<Invoice, 'id' | 'number'>): Promise<void> {
  const params = { path: { invoiceId: id }, query: { format: 'pdf' as const } };
  const pdf = await call<unknown>(
    api.GET('/v3/openmeter/billing/invoices/{invoiceId}/document', { params, parseAs: 'blob' }),
  );
  const link = document.createElement('a');
  link.href = URL.createObjectURL(pdf as Blob);
  link.download = `${number}.pdf`;
  link.click();
  URL.revokeObjectURL(link.href);
}
