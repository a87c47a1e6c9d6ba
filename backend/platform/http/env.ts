/** Who sent a request, as its token says. */
export interface Caller {
  readonly tokenName: string;
  readonly role: Role;
}

/** What a token may do: everything; read; or only send events. */
export type Role = 'admin' | 'viewer' | 'ingest';

/** Hono's environment of this backend: what middleware leaves for handlers. */
export interface AppEnv {
  Variables: { requestId: string; caller: Caller | undefined };
}
