import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { filled } from '../../platform/defined.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import { ownOrigin } from '../../platform/http/own-origin.ts';

/** A cookie that scripts cannot read and that goes to this host only. */
export interface OwnCookie {
  read(c: Context<AppEnv>): string | undefined;
  set(c: Context<AppEnv>, value: string, maxAgeSeconds: number): void;
  clear(c: Context<AppEnv>): void;
}

/**
 * Over TLS the name begins with "__Host-", which browsers take from this very host only: nobody else's host or plain HTTP
 * can plant one. Only the name that belongs to how the request came is read, for the same reason.
 * @param sameSite `Strict`: sent with what pages of ours ask for only; `Lax`: also when another site leads here by a link
 */
export function ownCookie(name: string, sameSite: 'Strict' | 'Lax', publicUrl: string | undefined): OwnCookie {
  const isSecure = (c: Context<AppEnv>) => ownOrigin(c, publicUrl).startsWith('https:');
  const nameFor = (c: Context<AppEnv>) => (isSecure(c) ? `__Host-${name}` : name);
  const attributes = (c: Context<AppEnv>) => ({ path: '/', httpOnly: true, sameSite, secure: isSecure(c) }) as const;
  return {
    read: (c) => filled(getCookie(c, nameFor(c))),
    set: (c, value, maxAge) => setCookie(c, nameFor(c), value, { ...attributes(c), maxAge }),
    clear: (c) => {
      deleteCookie(c, nameFor(c), attributes(c));
    },
  };
}
