import type { Caller } from './env.ts';

/** A request that is about to change something, or may not. */
export interface IntendedChange {
  caller: Caller;
  /** Where the connection comes from: the client, or a proxy before this server. */
  clientAddress: string | undefined;
  requestId: string;
  operationId: string;
  method: string;
  path: string;
  /** The static parts of the resource's path: "plans", "customers/billing". */
  resourceType: string;
  /** Unknown until it is made. */
  resourceId: string | undefined;
  /** The body, checked. */
  request?: unknown;
  /** The resource as its GET answers it; undefined where there is none. */
  before?: unknown;
}

export interface ChangeResult {
  status: number;
  resourceId?: string | undefined;
  after?: unknown;
}

/** Writes down who changes what. */
export interface ChangeRecorder {
  /**
   * Called before the change. When it fails, nothing is changed: there is no change without a trace of it.
   * @returns what is to be called with the result. If it never is, the change's outcome is unknown, and listed so.
   */
  begin(change: IntendedChange): Promise<(result: ChangeResult) => Promise<void>>;
  /** A caller whose role does not suffice. Never fails: the refusal stands anyway. */
  refused(attempt: IntendedChange): Promise<void>;
}
