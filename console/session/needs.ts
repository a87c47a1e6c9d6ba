import type { RouteMeta } from 'vue-router';

/** What a role may include beyond reading: "write" changes what is billed; "administer" changes meters, events, apps, tokens. */
export type Grant = 'write' | 'administer';

declare module 'vue-router' {
  interface RouteMeta {
    /** Without it the page is of no use: it says so, and asks the server nothing. */
    needs?: { grant: Grant; title: string };
  }
}

/** For a route's meta: whose role lacks the grant sees a page of this title that says so. */
export function needs(grant: Grant, title: string): RouteMeta {
  return { needs: { grant, title } };
}
