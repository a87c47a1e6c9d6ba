import type { Role } from './roles.ts';

export type { Role } from './roles.ts';

/** Who sent a request, as its token says. */
export interface Caller {
  readonly tokenId: string;
  readonly tokenName: string;
  readonly role: Role;
}

/** Hono's environment of this backend: what middleware leaves for handlers. */
export interface AppEnv {
  Variables: { requestId: string; caller: Caller | undefined };
}
