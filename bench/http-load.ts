import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { gatewayEvents } from './gateway-events.ts';

/** The admin token of the backends that benches start. */
export const TOKEN = 'bench-admin-token-0123456789';
export const SINGLE = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';

/** The meter of `REQUESTS`, as the API takes it. */
export const REQUESTS_METER = {
  key: 'requests',
  name: 'Requests',
  aggregation: 'count',
  event_type: 'kong.api_request',
  dimensions: { request_method: '$.request_method', route_name: '$.route_name', service_name: '$.service_name' },
};

/**
 * Bodies of requests with events of one month.
 * @param size events in each; 1: no list around it
 * @param first number of the first event
 * @param ofTotal as in gatewayEvents
 */
export function bodies(events: number, size: number, first = 0, ofTotal?: number): string[] {
  const all = gatewayEvents(events, first, () => randomUUID(), ofTotal).map(
    ({ id, source, type, subject, timeMs, data }) =>
      `{"specversion":"1.0","id":"${id}","source":"${source}","type":"${type}","subject":"${subject}","time":"${new Date(timeMs).toISOString()}","datacontenttype":"application/json","data":${data}}`,
  );
  if (size === 1) return all;
  return Array.from(
    { length: Math.ceil(all.length / size) },
    (_, index) => `[${all.slice(index * size, (index + 1) * size).join(',')}]`,
  );
}

/** Sends a body to the events' route. @throws Error when it is not answered with 202 */
export async function send(pool: Pool, body: string, contentType: string): Promise<void> {
  const answer = await pool.request({
    method: 'POST',
    path: '/v3/openmeter/events',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': contentType },
    body,
  });
  await answer.body.dump();
  if (answer.statusCode !== 202) throw new Error(`answered ${answer.statusCode}`);
}

/** Sends all bodies over the given number of connections, each as soon as the one before was answered. */
export async function sendAll(
  url: string,
  all: readonly string[],
  connections: number,
  contentType: string,
): Promise<void> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  let next = 0;
  const client = async () => {
    for (let index = next++; index < all.length; index = next++) await send(pool, all[index] ?? '', contentType);
  };
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
}

/** Asks the API with JSON. @throws Error when it refuses */
export async function call(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/v3/openmeter${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
