import { useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import type { components } from '../../sdk/index.ts';
import { api, call } from './client.ts';
import type { Meter, MeterQueryResult } from './meters.ts';

export type GatewayProcess = components['schemas']['GatewayProcess'];

/** How often the overview is read again while it is looked at. */
const REFRESH_MS = 15_000;
const DAY_MS = 86_400_000;
/** More figures than this at a glance are none. */
const MAX_METERS = 6;
/** Entries of a list of the largest. */
const TOP = 5;

/** What is there already of the way from a meter to an invoice. */
export interface SetUp {
  meters: number;
  features: number;
  plans: number;
  customers: number;
  subscriptions: number;
  events: number;
  invoices: number;
  /** The customer that was created last: its subscription and preview are the next steps. */
  customerId: string | undefined;
}

/** Counts of everything that the first steps make. */
export function useSetUp() {
  return useQuery({
    queryKey: ['overview', 'set-up'],
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }): Promise<SetUp> => {
      const query = { 'page[size]': '1' };
      const [meters, features, plans, customers, subscriptions, events, invoices] = await Promise.all([
        call(api.GET('/v3/openmeter/meters', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/features', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/plans', { params: { query: { ...query, 'filter[status]': 'active' } }, signal })),
        call(api.GET('/v3/openmeter/customers', { params: { query: { ...query, sort: 'created_at desc' } }, signal })),
        call(api.GET('/v3/openmeter/subscriptions', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/ingest-totals', { signal })),
        call(api.GET('/v3/openmeter/billing/invoices', { params: { query }, signal })),
      ]);
      return {
        meters: meters.meta.page.total,
        features: features.meta.page.total,
        plans: plans.meta.page.total,
        customers: customers.meta.page.total,
        subscriptions: subscriptions.meta.page.total,
        events: events.stored,
        invoices: invoices.meta.page.total,
        customerId: customers.data[0]?.id,
      };
    },
  });
}

/** A meter's figure now, and in the period before. */
export interface UsageNow {
  meter: Meter;
  /** Decimal; "0" without events. */
  now: string;
  before: string;
}

/** The last thirty days of each meter against the thirty days before. */
export function useUsageNow(nowMs: () => number) {
  return useQuery({
    queryKey: ['overview', 'usage'],
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }): Promise<UsageNow[]> => {
      const query = { 'page[size]': String(MAX_METERS) };
      const { data } = await call(api.GET('/v3/openmeter/meters', { params: { query }, signal }));
      const endMs = nowMs();
      const figure = async (meter: Meter, fromMs: number, toMs: number) => {
        const body = { from: minuteOf(fromMs), to: minuteOf(toMs), time_zone: 'UTC' };
        const params = { path: { meterId: meter.id } };
        const answer = await call(api.POST('/v3/openmeter/meters/{meterId}/query', { params, body, signal }));
        return (answer as MeterQueryResult).data[0]?.value ?? '0';
      };
      return Promise.all(
        data.map(async (meter) => {
          const [now, before] = await Promise.all([
            figure(meter, endMs - 30 * DAY_MS, endMs),
            figure(meter, endMs - 60 * DAY_MS, endMs - 30 * DAY_MS),
          ]);
          return { meter, now, before };
        }),
      );
    },
  });
}

/** Whole minutes: usage is counted in windows of a minute at least. */
function minuteOf(ms: number): string {
  return new Date(Math.ceil(ms / 60_000) * 60_000).toISOString();
}

/** What was invoiced in the last thirty days, and in the thirty days before. */
export function useRevenue(nowMs: () => number) {
  return useQuery({
    queryKey: ['overview', 'revenue'],
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }) => {
      const endMs = Date.parse(minuteOf(nowMs()));
      const inDays = (fromMs: number, toMs: number) => {
        const query = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), limit: String(TOP) };
        return call(api.GET('/v3/openmeter/billing/revenue', { params: { query }, signal }));
      };
      const [now, before] = await Promise.all([
        inDays(endMs - 30 * DAY_MS, endMs),
        inDays(endMs - 60 * DAY_MS, endMs - 30 * DAY_MS),
      ]);
      return { now, before };
    },
  });
}

/** A meter's largest values of a dimension in the last thirty days. */
export interface TopValues {
  meter: Meter;
  dimension: string;
  values: { value: string; events: number }[];
}

/** What stands for "service" in the events of gateways, and of others. */
const SERVICE_DIMENSIONS = ['service_name', 'route_name', 'model', 'provider', 'agent_name'];

/** The services with the most events: of the first meter that tells services apart. */
export function useTopServices(meters: () => readonly Meter[], nowMs: () => number) {
  const chosen = () =>
    meters()
      .flatMap((meter) =>
        SERVICE_DIMENSIONS.filter((name) => name in (meter.dimensions ?? {})).map((dimension) => ({
          meter,
          dimension,
        })),
      )
      .sort((a, b) => SERVICE_DIMENSIONS.indexOf(a.dimension) - SERVICE_DIMENSIONS.indexOf(b.dimension))[0];
  return useQuery({
    queryKey: ['overview', 'services', computed(() => chosen()?.meter.id)],
    enabled: () => chosen() !== undefined,
    queryFn: async ({ signal }): Promise<TopValues | undefined> => {
      const choice = chosen();
      if (choice === undefined) return undefined;
      const query = { from: minuteOf(nowMs() - 30 * DAY_MS), to: minuteOf(nowMs()), limit: String(TOP) };
      const path = { meterId: choice.meter.id, dimension: choice.dimension };
      const { data } = await call(
        api.GET('/v3/openmeter/meters/{meterId}/dimensions/{dimension}/values', { params: { path, query }, signal }),
      );
      return { ...choice, values: data };
    },
  });
}

/** How much arrives, and how late. */
export interface Ingest {
  stored: number;
  duplicates: number;
  /** Since the last look; undefined at the first. */
  perSecond: number | undefined;
  lastStoredAt: string | undefined;
  /** From an event's time to its storing, of the newest event. */
  lagMs: number | undefined;
}

/** Soon after the first look there is a rate to show. */
const FIRST_RATE_AFTER_MS = 3_000;

export function useIngest(nowMs: () => number) {
  let last: { stored: number; atMs: number } | undefined;
  return useQuery<Ingest>({
    queryKey: ['overview', 'ingest'],
    refetchInterval: (query) => (query.state.data?.perSecond === undefined ? FIRST_RATE_AFTER_MS : REFRESH_MS),
    queryFn: async ({ signal }) => {
      const [totals, newest] = await Promise.all([
        call(api.GET('/v3/openmeter/ingest-totals', { signal })),
        call(api.GET('/v3/openmeter/events', { params: { query: { 'page[size]': '1' } }, signal })),
      ]);
      const atMs = nowMs();
      const seconds = last === undefined ? 0 : (atMs - last.atMs) / 1000;
      const perSecond = seconds > 0 ? (totals.stored - (last?.stored ?? 0)) / seconds : undefined;
      last = { stored: totals.stored, atMs };
      const event = newest.data[0];
      return {
        stored: totals.stored,
        duplicates: totals.duplicates,
        perSecond,
        lastStoredAt: event?.stored_at,
        lagMs: event?.event.time == null ? undefined : Date.parse(event.stored_at) - Date.parse(event.event.time),
      };
    },
  });
}

/** Plugin servers and collectors that delivered or reported, the one seen last first. */
export function useSources(query: () => Record<string, string>) {
  return useQuery({
    queryKey: ['overview', 'sources', query],
    refetchInterval: REFRESH_MS,
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/sources', { params: { query: query() }, signal })),
  });
}

/** What gateways served, the one that told last first. */
export function useGatewayRequests(query: () => Record<string, string>) {
  return useQuery({
    queryKey: ['overview', 'gateway-requests', query],
    refetchInterval: REFRESH_MS,
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/gateway-requests', { params: { query: query() }, signal })),
  });
}
