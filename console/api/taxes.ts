import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import { refuseIfChanged } from './problem.ts';

export type TaxRate = components['schemas']['TaxRate'];
export type UpsertTaxRate = components['schemas']['UpsertTaxRateRequest'];
export type CustomerTax = components['schemas']['CustomerTax'];

export function useTaxRates(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['tax-rates', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/tax-rates', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useTaxRateChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['tax-rates'] });
  return {
    create: useMutation({
      mutationFn: (body: UpsertTaxRate) => call(api.POST('/v3/openmeter/tax-rates', { body })),
      onSuccess,
    }),
    /** @throws ApiProblem 409 when somebody changed the tax rate since it was read */
    put: useMutation({
      mutationFn: async ({ read, body }: { read: TaxRate; body: UpsertTaxRate }) => {
        const params = { path: { taxRateId: read.id } };
        refuseIfChanged('tax rate', read, await call(api.GET('/v3/openmeter/tax-rates/{taxRateId}', { params })));
        return call(api.PUT('/v3/openmeter/tax-rates/{taxRateId}', { params, body }));
      },
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (taxRateId: string) =>
        call(api.DELETE('/v3/openmeter/tax-rates/{taxRateId}', { params: { path: { taxRateId } } })),
      onSuccess,
    }),
  };
}

/** How a customer is taxed. */
export function useCustomerTax(customerId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['customer-tax', customerId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/customers/{customerId}/tax', {
          params: { path: { customerId: toValue(customerId) } },
          signal,
        }),
      ),
  });
}

export function useCustomerTaxChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ customerId, body }: { customerId: string; body: CustomerTax }) =>
      call(api.PUT('/v3/openmeter/customers/{customerId}/tax', { params: { path: { customerId } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customer-tax'] }),
  });
}

/** The taxes of an invoice, rate by rate. */
export function useInvoiceTaxes(invoiceId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['invoices', 'taxes', invoiceId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/billing/invoices/{invoiceId}/taxes', {
          params: { path: { invoiceId: toValue(invoiceId) } },
          signal,
        }),
      ),
  });
}
