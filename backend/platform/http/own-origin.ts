import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { RequestProblem } from '../errors.ts';
import type { AppEnv } from './env.ts';

/** As the proxy says that ends TLS. Who forges it here tells only himself to use TLS; browsers believe it over TLS only. */
export function isBehindTls(c: Context<AppEnv>): boolean {
  const socket = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket;
  const isEncrypted = socket !== undefined && 'encrypted' in socket && socket.encrypted === true;
  return isEncrypted || c.req.header('x-forwarded-proto')?.split(',', 1)[0]?.trim() === 'https';
}

/**
 * This server's origin as browsers know it: "https://billing.example.com".
 * @param publicUrl what the operator has set; without it the request's own words are taken
 */
export function ownOrigin(c: Context<AppEnv>, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  const { protocol, host } = new URL(c.req.url);
  return `${isBehindTls(c) ? 'https:' : protocol}//${c.req.header('host') ?? host}`;
}

/**
 * Refuses what another site, or another port of this host, has a browser send. Browsers say where a request comes from in
 * `Sec-Fetch-Site`; those that do not (old ones, and all over plain HTTP but to the machine itself) send `Origin` with
 * whatever is no GET. A request that says neither comes from no page of ours.
 * @throws RequestProblem 403
 */
export function requireOwnOrigin(c: Context<AppEnv>, origin: string): void {
  const site = c.req.header('sec-fetch-site');
  const isOwn = site === undefined ? c.req.header('origin') === origin : site === 'same-origin';
  if (isOwn) return;
  throw new RequestProblem(
    'unauthorized',
    'A change with a session has to come from a page of this server: send an access token instead, or the header "Origin" with this server\'s own.',
  );
}
