import type { Logger } from '../../platform/log.ts';
import type { KnownToken } from './known-tokens.ts';

/** An answer of the list is at most this much behind after a crash; more often would be a disk write for nothing. */
const WRITE_EVERY_MS = 60_000;

export interface LastUse {
  /** Notes a use. Never waits for the disk. */
  note(token: KnownToken, nowMs: number): void;
  /** Writes what is noted, and waits for it. */
  flush(): Promise<void>;
}

/**
 * When tokens were used: in memory at once, on disk about once a minute, all of them together.
 * @param write stores the last use by token id
 */
export function createLastUse(write: (uses: ReadonlyMap<string, number>) => Promise<void>, log?: Logger): LastUse {
  let unwritten = new Map<string, number>();
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let writing = Promise.resolve();
  const start = (): Promise<void> => {
    const uses = unwritten;
    if (uses.size === 0) return writing;
    unwritten = new Map();
    writing = writing
      .then(() => write(uses))
      .catch((error: unknown) => log?.error({ err: error }, 'the last use of access tokens could not be stored'));
    return writing;
  };
  return {
    note: (token, nowMs) => {
      token.lastUsedAtMs = nowMs;
      if (token.kind === 'configured') return;
      unwritten.set(token.caller.tokenId, nowMs);
      if (nowMs - writtenAtMs < WRITE_EVERY_MS) return;
      writtenAtMs = nowMs;
      void start();
    },
    flush: start,
  };
}
