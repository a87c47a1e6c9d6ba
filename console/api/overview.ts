import { useQuery } from '@tanstack/vue-query';
import { api, call } from './client.ts';
import type { components } from './generated/schema.d.ts';
import type { Meter, MeterQueryResult } from './meters.ts';

export type GatewayProcess = components['schemas']['GatewayProcess'];

/** How often the overview is read again while it is looked at. */
const REFRESH_MS = 15_000;
const DAY_MS = 86_400_000;
/** More figures than this at a glance are none. */
const MAX_METERS = 6;

/** What is there already of the way from a meter to an invoice. */
export interface SetUp {
  meters: number;
  features: number;
  plans: number;
  customers: number;
  subscriptions: number;
  events: number;
}

/** Counts of everything that the first steps make. */
export function useSetUp() {
  return useQuery({
    queryKey: ['overview', 'set-up'],
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }): Promise<SetUp> => {
      const query = { 'page[size]': '1' };
      const [meters, features, plans, customers, subscriptions, events] = await Promise.all([
        call(api.GET('/v3/openmeter/meters', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/features', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/plans', { params: { query: { ...query, 'filter[status]': 'active' } }, signal })),
        call(api.GET('/v3/openmeter/customers', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/subscriptions', { params: { query }, signal })),
        call(api.GET('/v3/openmeter/ingest-totals', { signal })),
      ]);
      return {
        meters: meters.meta.page.total,
        features: features.meta.page.total,
        plans: plans.meta.page.total,
        customers: customers.meta.page.total,
        subscriptions: subscriptions.meta.page.total,
        events: events.stored,
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
        data.map(async (meter) => ({
          meter,
          now: await figure(meter, endMs - 30 * DAY_MS, endMs),
          before: await figure(meter, endMs - 60 * DAY_MS, endMs - 30 * DAY_MS),
        })),
      );
    },
  });
}

/** Whole minutes: usage is counted in windows of a minute at least. */
function minuteOf(ms: number): string {
  return new Date(Math.ceil(ms / 60_000) * 60_000).toISOString();
}

export function useIngestTotals() {
  return useQuery({
    queryKey: ['overview', 'ingest'],
    refetchInterval: REFRESH_MS,
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/ingest-totals', { signal })),
  });
}

/** Plugin servers that delivered, the one seen last first. */
export function useGatewayNodes(query: () => Record<string, string>) {
  return useQuery({
    queryKey: ['overview', 'gateway-nodes', query],
    refetchInterval: REFRESH_MS,
    queryFn: ({ signal }) => call(api.GET('/v3/openmeter/gateway-nodes', { params: { query: query() }, signal })),
  });
}
