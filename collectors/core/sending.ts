import type { Queued } from '../../delivery/aside.ts';
import type { SpooledEvent } from './spool.ts';

/** An event that waits in the spool, on its way out. */
export interface Entry extends SpooledEvent, Queued {}

/** What has been sent since the start of the process. */
export interface SenderCounts {
  readonly sent: number;
  readonly batchesCreated: number;
  readonly batchesSent: number;
  readonly retried: number;
  /** From taking an event to its delivery, in all, in milliseconds of the wall clock. */
  readonly latencyMs: number;
  /** When the endpoint last took something, by the wall clock. */
  readonly lastSentAtMs: number | undefined;
  readonly isTokenRefused: boolean;
}

export type SendingCounts = { -readonly [Name in keyof SenderCounts]: SenderCounts[Name] };

export function createCounts(): SendingCounts {
  return {
    sent: 0,
    batchesCreated: 0,
    batchesSent: 0,
    retried: 0,
    latencyMs: 0,
    lastSentAtMs: undefined,
    isTokenRefused: false,
  };
}
