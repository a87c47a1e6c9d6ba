import type { Context } from 'hono';
import type { BodyAccount } from './body-budget.ts';
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

/** What a request's body may have. */
export interface Bodies {
  maxBytes: number;
  /** For a body that is about to be read. */
  open(): BodyAccount;
}

/** Hono's environment of this backend: what middleware leaves for handlers. */
export interface AppEnv {
  Variables: {
    requestId: string;
    caller: Caller | undefined;
    /** The request changes nothing: it may be refused after its work is done, too. */
    isReading: boolean | undefined;
    /** Where the bytes of the request's body are counted; undefined outside of an application. */
    bodies: Bodies | undefined;
  };
}

export type HttpContext = Context<AppEnv>;
