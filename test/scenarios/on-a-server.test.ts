import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { runMaintenance } from '../../backend/maintenance.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { createDatabase, endConnections, hasPostgres } from '../support/postgres-cluster.ts';

const ADMIN = 'admin-token-0123456789';

describe.runIf(hasPostgres)('a backend whose databases are on a server', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'on-a-server-'));
  const logLines: string[] = [];
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let backend: RunningBackend;
  const settings = () => ({ DATA_DIR: dataDir, DATABASE_URL: database.url, PORT: '0', ADMIN_TOKEN: ADMIN });
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${backend.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const send = (id: string) =>
    call('POST', '/v3/openmeter/events', {
      specversion: '1.0',
      id,
      source: 'test',
      type: 'calls',
      subject: 'alice',
      time: '2026-11-01T00:00:00Z',
    });
  const customer = (key: string) => call('POST', '/v3/openmeter/customers', { key, name: 'Some Customer' });
  const checks = async () => (await (await call('GET', '/readyz')).json()) as { status: string; checks: object };
  /** As a server's operator: from another database. */
  const operate = async (sql: (name: string) => string) => {
    const url = new URL(database.url);
    const name = url.pathname.slice(1);
    url.pathname = '/postgres';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(sql(name));
    await client.end();
    await endConnections(database.url);
  };

  beforeAll(async () => {
    database = await createDatabase();
    const log = createLogger('warn', { write: (line: string) => logLines.push(line) } as never);
    backend = await startBackend(loadConfig(settings()), log);
  });
  afterAll(async () => {
    await backend.stop();
    await database.drop();
    rmSync(dataDir, { recursive: true });
  });

  test('is ready, tells of the server, and warns of one that may lose what it was given', async () => {
    const { status, checks: parts } = await checks();
    expect(status).toBe('ready');
    const detail = expect.stringMatching(/^\d+ of \d+ connections are used$/);
    expect(parts).toMatchObject({ database_server: { status: 'ok', detail } });
    const metrics = await (await call('GET', '/metrics')).text();
    expect(metrics).toMatch(/metering_backend_database_server_bytes \d{6,}\n/);
    expect(metrics).not.toContain('metering_backend_disk_free_bytes');
    // The suite's own server is set so; one that is named need not be.
    if (process.env['TEST_DATABASE_URL'] === undefined) expect(logLines.join()).toContain('fsync off');
  });

  test('answers 503 while the server cannot be reached, and goes on by itself', async () => {
    expect((await send('before')).status).toBe(202);
    expect((await customer('before')).status).toBe(201);
    await operate((name) => `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    for (const answer of [await send('meanwhile'), await customer('meanwhile')]) {
      expect({ status: answer.status, log: logLines.slice(-3) }).toMatchObject({ status: 503 });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(await checks()).toMatchObject({ status: 'not ready', failed: expect.arrayContaining(['usage_store']) });
    await operate((name) => `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    await expect.poll(async () => (await checks()).status).toBe('ready');
    expect((await send('meanwhile')).status).toBe(202);
    expect((await customer('meanwhile')).status).toBe(201);
    const { data } = (await (await call('GET', '/v3/openmeter/events')).json()) as { data: unknown[] };
    expect(data).toHaveLength(2);
  });

  test('is not ready on a server that takes no writes', async () => {
    await operate((name) => `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await expect.poll(checks).toMatchObject({ status: 'not ready', checks: { database_server: { status: 'failed' } } });
    expect({ status: (await send('refused')).status, log: logLines.slice(-3) }).toMatchObject({ status: 503 });
    await operate((name) => `ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await expect.poll(async () => (await checks()).status).toBe('ready');
  });

  test.for([
    ['backup', 'folder', 'pg_dump'],
    ['restore', 'folder', 'pg_dump'],
    ['verify', undefined, 'cannot be verified yet'],
  ] as const)('npm run %s, which works on files, says so', async ([command, folder, told]) => {
    vi.stubEnv('DATABASE_URL', database.url);
    const said: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    try {
      expect(await runMaintenance(command, folder === undefined ? [] : [folder])).toBe(1);
    } finally {
      write.mockRestore();
      vi.unstubAllEnvs();
    }
    expect(said.join()).toContain(`npm run ${command} works on the files of DATA_DIR, and DATABASE_URL is set`);
    expect(said.join()).toContain(told);
  });
});
