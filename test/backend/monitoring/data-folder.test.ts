import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openSqliteUsageStore } from '../../../backend/metering/usage-store/index.ts';
import { claimDataFolder } from '../../../backend/own-data-folder.ts';
import { openControlDb } from '../../../backend/platform/db/control-db.ts';
import { createLogger } from '../../../backend/platform/log.ts';
import { MIGRATIONS } from '../../support/database-template.ts';
import { testClock } from '../../support/test-clock.ts';

const clock = testClock();
const log = createLogger('silent');

/** Opens a data folder as a backend does. */
async function open(dataDir: string, acceptDataLoss?: string) {
  const folder = claimDataFolder({ dataDir, acceptDataLoss }, clock.nowMs(), log);
  const onLost = (error: Error) => {
    throw error;
  };
  const db = openControlDb(join(dataDir, 'control.sqlite'), MIGRATIONS, { ...folder, onLost });
  const ownership = { ...folder, commits: folder.usageCommits };
  const usage = await openSqliteUsageStore(join(dataDir, 'usage.sqlite'), clock, { ownership });
  return {
    stored: async () => (await usage.totals()).stored,
    event: (id: string) =>
      usage.append([{ id, source: 's', type: 't', subject: 'x', timeMs: 1, data: undefined, ingestedAtMs: 1 }]),
    change: () => sql`UPDATE billing_runs SET failed = failed`.execute(db.kysely),
    close: async () => {
      await usage.close();
      await db.close();
      folder.release();
    },
  };
}

/** The files of a backend as a kill leaves them: three events and three changes are in the write-ahead logs only. */
let image: string;
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'data-folder-'));
  image = mkdtempSync(join(tmpdir(), 'data-folder-image-'));
  const first = await open(dataDir);
  await first.change();
  await first.close();
  const backend = await open(dataDir);
  for (const id of ['1', '2', '3']) {
    await backend.event(id);
    await backend.change();
  }
  for (const name of readdirSync(dataDir)) {
    if (!/-shm$|^owner\.lock/.test(name)) cpSync(join(dataDir, name), join(image, name));
  }
  await backend.close();
  rmSync(dataDir, { recursive: true });
});
afterAll(() => rmSync(image, { recursive: true }));

function killed(): string {
  const folder = mkdtempSync(join(tmpdir(), 'data-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(image, folder, { recursive: true });
  return folder;
}

/** What a folder has, byte by byte; to read a log that is not there makes an empty one. */
const contents = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => !/-shm$|^owner\.lock/.test(name) && statSync(join(folder, name)).size > 0)
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );

const removeAll = (folder: string, prefix: string) => {
  for (const name of readdirSync(folder)) if (name.startsWith(prefix)) rmSync(join(folder, name));
};

test('a kill alone loses nothing, and a start finds that', async () => {
  const backend = await open(killed());
  expect(await backend.stored()).toBe(3);
  await backend.close();
});

test.each<{ what: string; lose(folder: string): void; says: RegExp; left: number }>([
  {
    what: 'the write-ahead log of the events is gone',
    lose: (folder) => rmSync(join(folder, 'usage.sqlite-wal')),
    says: /usage\.sqlite lacks its last 3 changes, which had been answered for/,
    left: 0,
  },
  {
    what: 'the end of it is garbled',
    lose: (folder) => {
      const path = join(folder, 'usage.sqlite-wal');
      const bytes = readFileSync(path);
      // The last frame, and with it its whole transaction.
      writeFileSync(path, Buffer.concat([bytes.subarray(0, -4096), Buffer.alloc(4096, 0x5a)]));
    },
    says: /usage\.sqlite lacks its last 1 changes/,
    left: 2,
  },
  {
    what: 'it is gone together with its mark',
    lose: (folder) => {
      for (const end of ['-wal', '-mark']) rmSync(join(folder, `usage.sqlite${end}`));
    },
    // The other database has written down what there was at least.
    says: /usage\.sqlite lacks its last 3 changes/,
    left: 0,
  },
  {
    what: 'the file with the events is gone',
    lose: (folder) => removeAll(folder, 'usage.sqlite'),
    says: /usage\.sqlite is missing/,
    left: 0,
  },
  {
    what: 'it is empty',
    lose: (folder) => {
      rmSync(join(folder, 'usage.sqlite-wal'));
      truncateSync(join(folder, 'usage.sqlite'));
    },
    says: /usage\.sqlite is not the one that control\.sqlite belongs to/,
    left: 0,
  },
  {
    what: 'the write-ahead log of all else is gone',
    lose: (folder) => rmSync(join(folder, 'control.sqlite-wal')),
    says: /control\.sqlite lacks its last 3 changes/,
    left: 3,
  },
  {
    what: 'the file with all else is gone',
    lose: (folder) => removeAll(folder, 'control.sqlite'),
    says: /control\.sqlite is missing/,
    left: 3,
  },
])('$what: a start says so, changes nothing, and goes on only when it is told to', async ({ lose, says, left }) => {
  const folder = killed();
  lose(folder);
  const before = contents(folder);
  const refusal = String(await open(folder).catch((error: unknown) => error));
  expect(refusal).toMatch(says);
  await expect(open(folder, '0123456789ab')).rejects.toThrow(says);
  expect(contents(folder)).toEqual(before);
  const code = /ACCEPT_DATA_LOSS=([0-9a-f]{12})/.exec(refusal)?.[1] ?? '';
  const told = await open(folder, code);
  expect(await told.stored()).toBe(left);
  await told.event('new');
  await told.close();
  // Once is enough.
  const next = await open(folder);
  expect(await next.stored()).toBe(left + 1);
  await next.close();
});
