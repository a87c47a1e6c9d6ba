import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

export type Currency = components['schemas']['CurrencyPage']['data'][number];
export type CustomCurrency = components['schemas']['CurrencyCustom'];
export type CreateCurrency = components['schemas']['CreateCurrencyCustomRequest'];
export type CreateCostBasis = components['schemas']['CreateCostBasisRequest'];

/** A page of currencies: those of ISO 4217 and one's own. */
export function useCurrencies(parameters: MaybeRefOrGetter<Record<string, string>>) {
  return useQuery({
    queryKey: ['currencies', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/currencies', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Custom currencies beyond these show as many digits as an amount has. */
const MAX_CUSTOM = '1000';

/** The organization's own currencies, for the digits of what is on the screen. */
export function useCustomCurrencies() {
  return useQuery({
    queryKey: ['currencies', 'custom'],
    queryFn: ({ signal }) => {
      const query = { 'filter[type]': 'custom', 'page[size]': MAX_CUSTOM };
      return call(api.GET('/v3/openmeter/currencies', { params: { query }, signal }));
    },
  });
}

export function useCurrencyChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['currencies'] });
  return {
    create: useMutation({
      mutationFn: (body: CreateCurrency) => call(api.POST('/v3/openmeter/currencies/custom', { body })),
      onSuccess,
    }),
    addCostBasis: useMutation({
      mutationFn: ({ currencyId, body }: { currencyId: string; body: CreateCostBasis }) =>
        call(
          api.POST('/v3/openmeter/currencies/custom/{currencyId}/cost-bases', {
            params: { path: { currencyId } },
            body,
          }),
        ),
      onSuccess,
    }),
  };
}
