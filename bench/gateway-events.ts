import type { MeterSpec, NewEvent } from '../backend/metering/usage-store/index.ts';

const START_MS = Date.parse('2026-10-01T00:00:00Z');
const MONTH_MS = 31 * 24 * 3_600_000;
export const CUSTOMERS = 1000;
/** The month that the events are spread over. */
export const MONTH = { fromMs: START_MS, toMs: START_MS + MONTH_MS };
/** Counts them by three dimensions. */
export const REQUESTS: MeterSpec = {
  eventType: 'kong.api_request',
  aggregation: 'count',
  valueProperty: undefined,
  eventsFromMs: undefined,
  dimensions: {
    request_method: '$.request_method',
    route_name: '$.route_name',
    service_name: '$.service_name',
  },
};

/**
 * Events as the gateway plugin makes them, spread over a month in the order of time: 1,000 customers, 20 routes of 5
 * services, 4 methods.
 * @param first number of the first event: the same number gives the same event, but for its id
 * @param ofTotal how many events the month has
 */
export function gatewayEvents(
  count: number,
  first: number,
  newId: (index: number) => string,
  ofTotal = 10_000_000,
): NewEvent[] {
  return Array.from({ length: count }, (_, offset) => gatewayEvent(first + offset, newId, ofTotal));
}

function gatewayEvent(index: number, newId: (index: number) => string, ofTotal: number): NewEvent {
  // A multiplicative hash: customers and routes neither take turns nor depend on each other.
  const mixed = Math.imul(index, 0x9e3779b1) >>> 0;
  const route = (mixed >>> 8) % 20;
  const timeMs = START_MS + Math.floor((index / ofTotal) * MONTH_MS);
  const data = {
    client_ip: `10.0.${(mixed >>> 4) & 255}.${mixed & 255}`,
    request_host: 'api.example.com',
    request_method: ['GET', 'POST', 'PUT', 'DELETE'][(mixed >>> 16) & 3],
    request_size_bytes: 100 + (mixed & 1023),
    request_uri: `/v1/items/${(mixed >>> 12) % 5000}`,
    response_http_status: mixed % 50 === 0 ? 500 : 200,
    response_size_bytes: 500 + ((mixed >>> 6) & 4095),
    route_id: `b8613a05-2540-5613-a77c-0000000000${String(route).padStart(2, '0')}`,
    route_name: `route-${route}`,
    service_id: `0a20789d-ec54-5c07-8284-00000000000${route % 5}`,
    service_name: `service-${route % 5}`,
    subject_type: 'consumer_username',
    upstream_status: 200,
  };
  return {
    id: newId(index),
    source: 'kong-gateway',
    type: 'kong.api_request',
    subject: `customer-${(mixed >>> 20) % CUSTOMERS}`,
    timeMs,
    data: JSON.stringify(data),
    ingestedAtMs: timeMs,
  };
}
