import type { Role } from './roles.ts';

export type { Role } from './roles.ts';

/** Who sent a request, as its token or its session says. */
export interface Caller {
  /** Of the token; for a person who signed in otherwise: always the same for that person. */
  readonly tokenId: string;
  readonly tokenName: string;
  readonly role: Role;
  /** The session whose cookie the request carries; undefined when it carries a token. */
  readonly sessionId?: string;
}

/** Hono's environment of this backend: what middleware leaves for handlers. */
export interface AppEnv {
  Variables: { requestId: string; caller: Caller | undefined };
}
