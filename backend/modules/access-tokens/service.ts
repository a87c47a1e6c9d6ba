import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { Caller, Role } from '../../platform/http/env.ts';
import type { NewId } from '../../platform/ids.ts';
import { accessTokenRepository } from './repository.ts';

/** A token that the configuration names, in clear or as its SHA-256 in hexadecimal. */
export type ConfiguredToken = { name: string; role: Role } & ({ token: string } | { tokenSha256: string });

export interface AccessTokens {
  /** Finds the caller of a bearer token; undefined when no such token exists. */
  verify(token: string): Promise<Caller | undefined>;
  /**
   * Makes the first admin token when nobody could sign in otherwise, and keeps it in a file that only its owner reads.
   * @returns the token, to be shown this once; undefined when there was no need.
   */
  createFirstToken(file: string): Promise<string | undefined>;
}

interface KnownToken {
  hash: Buffer;
  caller: Caller;
}

/** @param configured tokens of environment and file: they are known while the process runs and never stored */
export async function createAccessTokens(deps: {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  configured: readonly ConfiguredToken[];
}): Promise<AccessTokens> {
  const { db, clock, newId, configured } = deps;
  const repository = accessTokenRepository(db);
  const known: KnownToken[] = configured.map(fromConfiguration);
  for (const row of await repository.all()) {
    known.push({ hash: Buffer.from(row.token_hash, 'hex'), caller: { tokenName: row.name, role: row.role } });
  }
  return {
    verify: async (token) => find(known, token),
    createFirstToken: async (file) => {
      if (known.length > 0) return undefined;
      const token = `spat_${randomBytes(32).toString('base64url')}`;
      const hash = sha256(token);
      // The file comes first: a token that is stored and shown nowhere would lock everyone out.
      writeFileSync(file, `${token}\n`, { mode: 0o600 });
      const created_at = new Date(clock.nowMs()).toISOString();
      const row = {
        id: newId(),
        name: 'first admin token',
        role: 'admin' as const,
        token_hash: hash.toString('hex'),
        created_at,
      };
      await repository.insert(row);
      known.push({ hash, caller: { tokenName: row.name, role: row.role } });
      return token;
    },
  };
}

/** Compares with every known hash in constant time, so that an answer's time tells nothing. */
function find(known: readonly KnownToken[], token: string): Caller | undefined {
  const hash = sha256(token);
  let found: Caller | undefined;
  for (const candidate of known) {
    if (timingSafeEqual(candidate.hash, hash)) found = candidate.caller;
  }
  return found;
}

function fromConfiguration(token: ConfiguredToken): KnownToken {
  const hash = 'token' in token ? sha256(token.token) : Buffer.from(token.tokenSha256, 'hex');
  return { hash, caller: { tokenName: token.name, role: token.role } };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
