import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AccessTokens, createAccessTokens } from '../../../../backend/access/access-tokens/index.ts';
import type { ControlDb } from '../../../../backend/platform/db/control-db.ts';
import { openPostgresControlDb } from '../../../../backend/platform/db/postgres-control-db.ts';
import { MIGRATIONS } from '../../../support/database-template.ts';
import { createDatabase, hasPostgres } from '../../../support/postgres-cluster.ts';
import { testScope } from '../../../support/scope.ts';
import { testClock } from '../../../support/test-clock.ts';

describe.runIf(hasPostgres)('access tokens of two backends on one database', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let dbs: ControlDb[];
  let one: AccessTokens;
  let other: AccessTokens;
  /** What the counter of the process says, so that nobody has to wait. */
  let passedMs = 0;

  beforeEach(async () => {
    const counterMs = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => counterMs() + passedMs);
    database = await createDatabase();
    const open = async () => openPostgresControlDb(database.url, MIGRATIONS);
    dbs = [await open(), await open()];
    const clock = testClock();
    const tokens = dbs.map((db) => createAccessTokens({ scope: testScope(db, clock), configured: [], isShared: true }));
    [one, other] = (await Promise.all(tokens)) as [AccessTokens, AccessTokens];
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const db of dbs) await db.close();
    await database.drop();
  });

  test('one that was made is known everywhere at once, one that was revoked nowhere a second later', async () => {
    const { id, token } = await one.create({ name: 'gateway', role: 'ingest', kind: 'system' });
    expect(await other.verify(token)).toMatchObject({ tokenId: id });
    await one.revoke(id);
    expect(await one.verify(token)).toBeUndefined();
    passedMs += 1001;
    expect(await other.verify(token)).toBeUndefined();
    expect(await other.current(id)).toBeUndefined();
  });

  test('whoever cannot ask whether a token still holds lets nobody in', async () => {
    const { token } = await one.create({ name: 'gateway', role: 'ingest', kind: 'system' });
    expect(await other.verify(token)).toBeDefined();
    await dbs[1]?.close();
    passedMs += 1001;
    await expect(other.verify(token)).rejects.toThrow();
  });

  test('the first token is made once, and of two last ones that revoke each other one stays', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tokens-')), 'admin-token');
    const made = await Promise.all([one.createFirstToken(file), other.createFirstToken(file)]);
    expect(made.filter((token) => token !== undefined)).toEqual([readFileSync(file, 'utf8').trim()]);
    const [first] = await one.list();
    const second = await other.create({ name: 'second', role: 'admin', kind: 'system' });
    const ended = await Promise.allSettled([one.revoke(second.id), other.revoke(first?.id ?? '')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await one.list()).toHaveLength(1);
  });
});
