import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyData } from '../../../backend/backup.ts';
import { loadConfig } from '../../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../../backend/main.ts';
import { canonicalSpec } from '../../../backend/metering/usage-store/series/series-spec.ts';
import { migrateSqlite } from '../../../backend/platform/db/migrate.ts';
import { openSqlite, type Sqlite } from '../../../backend/platform/db/sqlite.ts';
import { createLogger } from '../../../backend/platform/log.ts';

const FOLDERS = { usage: 'backend/metering/usage-store/sqlite/migrations', control: 'backend/migrations' } as const;
type Name = keyof typeof FOLDERS;
const METER_ID = '01G65Z755AFWAKHE12NY0CQ9FH';
const CUSTOMER_ID = '01G65Z755AFWAKHE12NY0CQ9FK';
const TOKEN = 'token-of-the-first-program-0123';
const START_MS = Date.parse('2026-01-15T10:00:00Z');
const QUARTER_MS = 900_000;
const EVENTS = 50;

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
  dataDir = join(folder, 'data');
  mkdirSync(dataDir);
});
afterEach(() => rmSync(folder, { recursive: true }));

const migrationsOf = (name: Name) => readdirSync(FOLDERS[name]).sort();

/** What a program had that came with the migrations up to this one. */
function programUpTo(name: Name, last: string): string {
  const earlier = join(folder, `${name}-${last}`);
  mkdirSync(earlier, { recursive: true });
  for (const file of migrationsOf(name)) {
    if (file.slice(0, 4) <= last) copyFileSync(join(FOLDERS[name], file), join(earlier, file));
  }
  return earlier;
}

/** Has a database as that program left it, with what it then did. */
function asLeftBy(name: Name, last: string, work: (db: Sqlite) => void): void {
  const db = openSqlite(join(dataDir, `${name}.sqlite`));
  migrateSqlite(db, programUpTo(name, last));
  db.transaction(() => work(db))();
  db.close();
}

/** What the first program wrote for 50 events of two subjects, and for two that came again. */
function storeFirstEvents(db: Sqlite): void {
  for (const [index, text] of ['gateway', 'call', 'alice', 'bob'].entries()) {
    db.prepare('INSERT INTO names VALUES (?, ?)').run(index + 1, text);
  }
  db.prepare('INSERT INTO sources VALUES (1)').run();
  const insert = db.prepare('INSERT INTO events VALUES (?, 1, ?, 2, ?, ?, ?, ?, ?)');
  for (let row = 1; row <= EVENTS; row++) {
    const timeMs = START_MS + row * 1000;
    insert.run(
      row,
      `event-${row}`,
      row % 5 === 0 ? 4 : 3,
      timeMs,
      `{"bytes":${row},"route":"r${row % 2}"}`,
      timeMs,
      timeMs,
    );
  }
  db.prepare('UPDATE store SET stored = ?, duplicates = 2').run(EVENTS);
}

function storeFirstSettings(db: Sqlite): void {
  const at = '2026-01-01T00:00:00.000Z';
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  db.prepare('INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?)').run(
    CUSTOMER_ID,
    'first admin token',
    'admin',
    hash,
    at,
  );
  db.prepare('INSERT INTO meters VALUES (?, ?, ?, NULL, NULL, ?, ?, NULL, ?, ?, ?, ?, NULL)').run(
    METER_ID,
    'bytes',
    'Bytes',
    'sum',
    'call',
    '$.bytes',
    '{"route":"$.route"}',
    at,
    at,
  );
}

function storeFirstCustomer(db: Sqlite): void {
  const at = '2026-01-01T00:00:00.000Z';
  db.prepare('INSERT INTO customers VALUES (?, ?, ?, NULL, NULL, NULL, ?, NULL, 1, ?, ?, NULL)').run(
    CUSTOMER_ID,
    'acme',
    'Acme',
    'EUR',
    at,
    at,
  );
  db.prepare('INSERT INTO customer_subject_keys VALUES (?, 0, ?, NULL)').run(CUSTOMER_ID, 'alice');
}

const start = () => startBackend(loadConfig({ DATA_DIR: dataDir, PORT: '0' }), createLogger('silent'));

async function call(backend: RunningBackend, method: string, path: string, body?: unknown) {
  const isEvents = path === '/events' && method === 'POST';
  const response = await fetch(`${backend.url}/v3/openmeter${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': isEvents ? 'application/cloudevents+json' : 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

const figuresBy = async (backend: RunningBackend, request: object) => {
  const { json } = await call(backend, 'POST', `/meters/${METER_ID}/query`, request);
  return json.data.map((row: { value: string; dimensions: Record<string, string> }) => [row.dimensions, row.value]);
};

const sum = (rows: readonly number[]) => String(rows.reduce((total, row) => total + row, 0));
const ROWS = Array.from({ length: EVENTS }, (_, index) => index + 1);

describe('databases of the first schemas', () => {
  test('have the figures, customers and tokens that they had, and know what they have counted', async () => {
    asLeftBy('usage', '0001', storeFirstEvents);
    asLeftBy('control', '0001', storeFirstSettings);
    asLeftBy('control', '0002', storeFirstCustomer);
    const backend = await start();
    expect(backend.firstToken).toBeUndefined();
    expect((await call(backend, 'GET', '/ingest-totals')).json).toMatchObject({ stored: EVENTS, duplicates: 2 });
    expect((await call(backend, 'GET', '/events?page[size]=100')).json.data).toHaveLength(EVENTS);
    expect(await figuresBy(backend, {})).toEqual([[{}, sum(ROWS)]]);
    const alice = ROWS.filter((row) => row % 5 !== 0);
    const ofCustomer = {
      filters: { dimensions: { customer_id: { in: [CUSTOMER_ID] } } },
      group_by_dimensions: ['route'],
    };
    expect(await figuresBy(backend, ofCustomer)).toEqual(
      ['r0', 'r1'].map((route) => [
        { customer_id: CUSTOMER_ID, route },
        sum(alice.filter((row) => `r${row % 2}` === route)),
      ]),
    );
    // What the first program has stored is known to the new one, and what is new counts.
    const event = (id: string) => ({
      id,
      source: 'gateway',
      type: 'call',
      subject: 'alice',
      data: { bytes: 1000, route: 'r0' },
    });
    for (const id of ['event-7', 'event-50', 'new']) {
      expect((await call(backend, 'POST', '/events', event(id))).status).toBe(202);
    }
    expect((await call(backend, 'GET', '/ingest-totals')).json).toMatchObject({ stored: EVENTS + 1, duplicates: 4 });
    expect(await figuresBy(backend, {})).toEqual([[{}, sum([...ROWS, 1000])]]);
    const backFill = async () => (await call(backend, 'GET', `/meters/${METER_ID}/back-fill`)).json.state;
    await expect.poll(backFill).toBe('finished');
    await backend.stop();
    expect(verifyData(dataDir)).toMatchObject({ damage: [], usage: { differences: [], series: 1 } });
  });

  test('with a correction that was not worked off: what it touched is computed anew', async () => {
    asLeftBy('usage', '0001', storeFirstEvents);
    asLeftBy('control', '0001', storeFirstSettings);
    asLeftBy('usage', '0007', (db) => {
      const spec = canonicalSpec({
        eventType: 'call',
        aggregation: 'sum',
        valueProperty: '$.bytes',
        eventsFromMs: undefined,
        dimensions: { route: '$.route' },
      });
      db.prepare('INSERT INTO rollup_series VALUES (1, ?, 2, ?, ?, ?, 0)').run(spec, '[]', EVENTS, EVENTS);
      const quarter = Math.floor(START_MS / QUARTER_MS);
      db.prepare('INSERT INTO rollup_dirty VALUES (1, ?)').run(quarter);
    });
    const backend = await start();
    expect(await figuresBy(backend, {})).toEqual([[{}, sum(ROWS)]]);
    await backend.stop();
    // At the next start nothing is left to do, whenever the first one ended.
    const again = await start();
    const left = async () => /metering_backend_recompute_quarters_left (\d+)/.exec(await metricsOf(again))?.[1];
    await expect.poll(left).toBe('0');
    expect(await figuresBy(again, { granularity: 'P1D' })).toEqual([[{}, sum(ROWS)]]);
    await again.stop();
    expect(verifyData(dataDir)).toMatchObject({ damage: [], usage: { differences: [], series: 1, waiting: 0 } });
  });
});

const metricsOf = async (backend: RunningBackend) =>
  (await fetch(`${backend.url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })).text();

describe.each(['usage', 'control'] as const)('the %s database', (name) => {
  const schemaOf = (db: Sqlite) =>
    db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all();

  test('is the same whether it was migrated program by program or at once', () => {
    const stepwise = openSqlite(join(dataDir, 'stepwise.sqlite'));
    for (const file of migrationsOf(name)) migrateSqlite(stepwise, programUpTo(name, file.slice(0, 4)));
    const atOnce = openSqlite(join(dataDir, 'at-once.sqlite'));
    expect(migrateSqlite(atOnce, FOLDERS[name])).toEqual(migrationsOf(name));
    expect(schemaOf(stepwise)).toEqual(schemaOf(atOnce));
    stepwise.close();
    atOnce.close();
  });

  test('of a newer program is refused by this one, and stays as it was', async () => {
    const newer = join(folder, 'newer');
    cpSync(FOLDERS[name], newer, { recursive: true });
    const path = join(dataDir, `${name}.sqlite`);
    const db = openSqlite(path);
    migrateSqlite(db, newer);
    db.prepare(`INSERT INTO schema_migrations VALUES (9000, '9000-newer.sql', 'x', '2027-01-01T00:00:00Z')`).run();
    const before = schemaOf(db);
    db.close();
    const reason = 'the database has migration 9000-newer.sql, this program does not know it: use a newer program';
    if (name === 'usage') await expect(start()).rejects.toThrow(reason);
    else {
      // As people see it.
      const env = { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: '0' };
      const { status, stderr } = spawnSync(process.execPath, ['bin/backend.js'], { env, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 1, stderr: `The backend could not start: ${reason}\n` });
    }
    const again = openSqlite(path);
    expect(schemaOf(again)).toEqual(before);
    again.close();
  });
});
