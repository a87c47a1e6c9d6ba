import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query';
import type { MaybeRefOrGetter } from 'vue';
import { toValue } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';

type Schemas = components['schemas'];
export type Channel = Schemas['NotificationChannel'];
export type ChannelRequest = Schemas['NotificationChannelCreateRequest'];
export type Rule = Schemas['NotificationRule'];
export type RuleRequest = Schemas['NotificationRuleRequest'];
export type RuleType = Rule['type'];
export type NotificationEvent = Schemas['NotificationEvent'];
export type DeliveryState = Schemas['NotificationDeliveryState'];

type Parameters = MaybeRefOrGetter<Record<string, string>>;

/** As Konnect calls them. */
export const RULE_TITLES: Record<RuleType, string> = {
  'entitlements.balance.threshold': 'Entitlement balance threshold',
  'entitlements.reset': 'Entitlement reset',
  'invoice.created': 'Invoice created',
  'invoice.updated': 'Invoice updated',
};

export type Threshold = Schemas['NotificationThreshold'];
export const THRESHOLD_TITLES: Record<Threshold['type'], string> = {
  usage_percentage: 'Usage in %',
  usage_value: 'Usage',
  balance_value: 'Balance',
};

export function ruleTitle(type: string): string {
  return RULE_TITLES[type as RuleType] ?? type;
}

export function useChannels(parameters: Parameters) {
  return useQuery({
    queryKey: ['notifications', 'channels', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/notification/channels', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** With its secrets, for who may change it. They are kept nowhere but where they are shown. */
export function useChannel(channelId: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['notifications', 'channel', channelId],
    queryFn: ({ signal }) =>
      call(
        api.GET('/v3/openmeter/notification/channels/{channelId}', {
          params: { path: { channelId: toValue(channelId) } },
          signal,
        }),
      ),
    gcTime: 0,
  });
}

export function useRules(parameters: Parameters) {
  return useQuery({
    queryKey: ['notifications', 'rules', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/notification/rules', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useNotificationEvents(parameters: Parameters) {
  return useQuery({
    queryKey: ['notifications', 'events', parameters],
    queryFn: ({ signal }) =>
      call(api.GET('/v3/openmeter/notification/events', { params: { query: toValue(parameters) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useNotificationChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: ['notifications'] });
  const channel = (channelId: string) => ({ params: { path: { channelId } } });
  const rule = (ruleId: string) => ({ params: { path: { ruleId } } });
  return {
    createChannel: useMutation({
      mutationFn: (body: ChannelRequest) => call(api.POST('/v3/openmeter/notification/channels', { body })),
      onSuccess,
      gcTime: 0,
    }),
    putChannel: useMutation({
      mutationFn: ({ id, body }: { id: string; body: ChannelRequest }) =>
        call(api.PUT('/v3/openmeter/notification/channels/{channelId}', { ...channel(id), body })),
      onSuccess,
      gcTime: 0,
    }),
    removeChannel: useMutation({
      mutationFn: (id: string) => call(api.DELETE('/v3/openmeter/notification/channels/{channelId}', channel(id))),
      onSuccess,
    }),
    rotateSecret: useMutation({
      mutationFn: (id: string) =>
        call(api.POST('/v3/openmeter/notification/channels/{channelId}/rotate-secret', { ...channel(id), body: {} })),
      onSuccess,
      gcTime: 0,
    }),
    testChannel: useMutation({
      mutationFn: (id: string) => call(api.POST('/v3/openmeter/notification/channels/{channelId}/test', channel(id))),
    }),
    createRule: useMutation({
      mutationFn: (body: RuleRequest) => call(api.POST('/v3/openmeter/notification/rules', { body })),
      onSuccess,
    }),
    putRule: useMutation({
      mutationFn: ({ id, body }: { id: string; body: RuleRequest }) =>
        call(api.PUT('/v3/openmeter/notification/rules/{ruleId}', { ...rule(id), body })),
      onSuccess,
    }),
    removeRule: useMutation({
      mutationFn: (id: string) => call(api.DELETE('/v3/openmeter/notification/rules/{ruleId}', rule(id))),
      onSuccess,
    }),
    testRule: useMutation({
      mutationFn: (id: string) => call(api.POST('/v3/openmeter/notification/rules/{ruleId}/test', rule(id))),
      onSuccess,
    }),
    resend: useMutation({
      mutationFn: (eventId: string) =>
        call(
          api.POST('/v3/openmeter/notification/events/{eventId}/resend', { params: { path: { eventId } }, body: {} }),
        ),
      onSuccess,
    }),
  };
}
