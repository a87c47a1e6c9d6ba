import type { UsageQuery } from '../backend/metering/usage-store/index.ts';
import { MONTH, REQUESTS } from './gateway-events.ts';

const month: UsageQuery = {
  meter: REQUESTS,
  ...MONTH,
  granularity: undefined,
  timeZone: 'UTC',
  groupBy: [],
  groupBySubject: false,
  filters: {},
};
const byDayAndRoute: UsageQuery = { ...month, granularity: 'P1D', groupBy: ['route_name'] };

/** The customer of the queries about one. */
export const CUSTOMER = 'customer-7';
/** All events of the month. */
export const WHOLE_MONTH = month;
/** What is measured. */
export const QUERIES = {
  'month total of one customer': { ...month, groupBySubject: true, subjects: [CUSTOMER] },
  'month by day and route': byDayAndRoute,
  'top 100 customers of a month': { ...month, groupBySubject: true },
} satisfies Record<string, UsageQuery>;
/** The same in zones whose days are no days of UTC. */
export const QUERIES_OF_ZONES: Readonly<Record<string, UsageQuery>> = {
  'month by day and route, Europe/Berlin': { ...byDayAndRoute, timeZone: 'Europe/Berlin' },
  'one customer by day and route, Asia/Kolkata': {
    ...byDayAndRoute,
    timeZone: 'Asia/Kolkata',
    groupBySubject: true,
    subjects: [CUSTOMER],
  },
};
