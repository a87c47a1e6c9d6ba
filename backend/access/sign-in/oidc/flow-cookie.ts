import type { Context } from 'hono';
import { z } from 'zod';
import type { AppEnv } from '../../../platform/http/env.ts';
import { ownCookie } from '../cookies.ts';
import type { Flow } from './provider.ts';

const flowSchema = z.strictObject({ state: z.string(), nonce: z.string(), verifier: z.string(), returnTo: z.string() });

/** Long enough to find one's second factor. */
const FLOW_SECONDS = 900;

/**
 * What the browser keeps while its user is at the provider, and the server does not: any number may be begun. Who plants
 * one of his own gets no further than with his own browser, as the provider's answer has to belong to it.
 * It comes back with a link from another site, hence `Lax`.
 */
export function flowCookie(publicUrl: string) {
  const cookie = ownCookie('metering-sign-in', 'Lax', publicUrl);
  return {
    set: (c: Context<AppEnv>, flow: Flow & { returnTo: string }): void =>
      cookie.set(c, Buffer.from(JSON.stringify(flow)).toString('base64url'), FLOW_SECONDS),
    /** It is good for one answer. */
    take: (c: Context<AppEnv>): (Flow & { returnTo: string }) | undefined => {
      const text = cookie.read(c);
      if (text === undefined) return undefined;
      cookie.clear(c);
      try {
        return flowSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString())).data;
      } catch {
        return undefined;
      }
    },
  };
}
