import { type ConfiguredToken, fromConfiguration, fromStored, type KnownToken } from './known-tokens.ts';
import type { StoredToken } from './repository.ts';

/**
 * All tokens, in memory: every request asks for one. Where other backends change them too, what is known is never older than
 * `MAX_AGE_MS`: a request that comes later waits until they are read again, and is answered with 503 where they cannot be. So a
 * token that was revoked is dead everywhere, also where nothing reaches the backend.
 */
export interface KnownTokens {
  withHash(hash: string): Promise<KnownToken | undefined>;
  withId(id: string): Promise<KnownToken | undefined>;
  all(): Promise<KnownToken[]>;
  /** To be called after a change. */
  read(): Promise<void>;
}

/** Half of the two seconds within which a revoked token is dead everywhere. */
const MAX_AGE_MS = 1000;

/** @param deps.read the stored ones */
export async function openKnownTokens(deps: {
  read: () => Promise<StoredToken[]>;
  configured: readonly ConfiguredToken[];
  isShared: boolean;
}): Promise<KnownTokens> {
  const { configured, isShared } = deps;
  const fixed = configured.map(fromConfiguration);
  /** By hash: finding one takes as long for a wrong token as for a right one, but for what nobody can aim at. */
  let known = new Map<string, KnownToken>();
  let readAtMs = Number.NEGATIVE_INFINITY;
  const readNow = async (): Promise<void> => {
    const begunAtMs = performance.now();
    const stored = (await deps.read()).map(fromStored);
    // Whoever has begun later has seen more.
    if (begunAtMs < readAtMs) return;
    for (const token of stored) {
      const before = known.get(token.hash)?.lastUsedAtMs;
      // What was noted here is not stored yet.
      if (before !== undefined && before > (token.lastUsedAtMs ?? before - 1)) token.lastUsedAtMs = before;
    }
    // A configured token that is also stored is the configuration's.
    known = new Map([...stored, ...fixed].map((token) => [token.hash, token]));
    readAtMs = begunAtMs;
  };
  let reading: Promise<void> | undefined;
  /** Those who ask at the same time share one reading. */
  const read = (): Promise<void> => {
    reading ??= readNow().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  /** @param sinceMs what is known is to be of then, or later */
  const readSince = async (sinceMs: number): Promise<void> => {
    while (isShared && readAtMs < sinceMs) await read();
  };
  const fresh = async (): Promise<Map<string, KnownToken>> => {
    await readSince(performance.now() - MAX_AGE_MS);
    return known;
  };
  await readNow();
  return {
    withHash: async (hash) => {
      const token = known.get(hash);
      if (token?.kind === 'configured') return token;
      // Another backend may have made it in this moment.
      await readSince(performance.now() - (token === undefined ? 0 : MAX_AGE_MS));
      return known.get(hash);
    },
    withId: async (id) => [...(await fresh()).values()].find(({ caller }) => caller.tokenId === id),
    all: async () => [...(await fresh()).values()],
    read: readNow,
  };
}
