import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { AppEnv } from './env.ts';

/** The other end of the connection; undefined for requests that come from no socket. Headers are not believed. */
export function clientAddress(c: Context<AppEnv>): string | undefined {
  const bindings = c.env as Partial<HttpBindings> | undefined;
  return bindings?.incoming?.socket?.remoteAddress;
}
