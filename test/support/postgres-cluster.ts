import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { TEMPLATE_VARIABLE } from './database-template.ts';

/**
 * PostgreSQL for tests: the server behind TEST_DATABASE_URL, or else a cluster of the suite's own where Debian's
 * `postgresql` package is. The first test that needs it starts it; the end of the suite stops it.
 */
const { TEST_DATABASE_URL } = process.env;

const VERSIONS = '/usr/lib/postgresql';
const OWNER = 'postgres';

/** The folder of the newest server's programs; undefined where there is none of 15 or later. */
function findPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS)
    .map((name) => Number.parseInt(name, 10))
    .filter((version) => version >= 15);
  return versions.length === 0 ? undefined : join(VERSIONS, String(Math.max(...versions)), 'bin');
}

const programs = findPrograms();
export const hasPostgres = TEST_DATABASE_URL !== undefined || programs !== undefined;

/** A server refuses to be root's. */
const asOwner = (command: string, args: readonly string[]): [string, string[]] =>
  process.getuid?.() === 0 ? ['runuser', ['-u', OWNER, '--', command, ...args]] : [command, [...args]];

const noteOf = (template: string): string => join(template, 'postgres-cluster');

/** Starts the suite's cluster, or waits for whoever is starting it. @returns the folder of its socket */
async function clusterFolder(): Promise<string> {
  const template = process.env[TEMPLATE_VARIABLE];
  if (template === undefined) throw new Error('the suite has no folder of its own: run it by its configuration');
  const note = noteOf(template);
  try {
    writeFileSync(`${note}.lock`, '', { flag: 'wx' });
  } catch {
    while (!existsSync(note)) await wait(20);
    return readFileSync(note, 'utf8');
  }
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  if (process.getuid?.() === 0) {
    const id = (flag: string) => Number.parseInt(execFileSync('id', [flag, OWNER], { encoding: 'utf8' }), 10);
    chownSync(folder, id('-u'), id('-g'));
  }
  const data = join(folder, 'data');
  const run = (program: string, args: readonly string[]) =>
    execFileSync(...asOwner(join(programs ?? '', program), args), { stdio: 'ignore', cwd: folder });
  run('initdb', ['-D', data, '-U', OWNER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']);
  // Nothing of it is to survive the machine; commits of tests need not wait for the disk.
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off', 'max_connections=200'];
  const [command, args] = asOwner(join(programs ?? '', 'postgres'), [
    '-D',
    data,
    ...settings.flatMap((s) => ['-c', s]),
  ]);
  spawn(command, args, { stdio: 'ignore', detached: true, cwd: folder }).unref();
  while (!existsSync(join(folder, '.s.PGSQL.5432')) || !(await isReady(folder))) await wait(20);
  writeFileSync(`${note}.new`, folder);
  // At once: whoever waits reads all of it.
  execFileSync('mv', [`${note}.new`, note]);
  return folder;
}

async function isReady(folder: string): Promise<boolean> {
  const client = new pg.Client({ host: folder, user: OWNER, database: OWNER });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

const listOf = (template: string): string => join(template, 'postgres-databases');

/** Leaves nothing behind: stops the cluster that the suite has started, or drops what it has made on another server. */
export async function removeDatabases(template: string): Promise<void> {
  const list = listOf(template);
  if (TEST_DATABASE_URL !== undefined && existsSync(list)) {
    for (const name of readFileSync(list, 'utf8').trim().split('\n')) {
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  }
  const note = noteOf(template);
  if (!existsSync(note)) return;
  const folder = readFileSync(note, 'utf8');
  const args = ['stop', '-D', join(folder, 'data'), '-m', 'immediate', '-w'];
  execFileSync(...asOwner(join(programs ?? '', 'pg_ctl'), args), { stdio: 'ignore', cwd: folder });
  rmSync(folder, { recursive: true });
}

let server: Promise<string> | undefined;

/** The address of the server's own database. */
async function serverUrl(): Promise<string> {
  if (TEST_DATABASE_URL !== undefined) return TEST_DATABASE_URL;
  server ??= clusterFolder();
  return `postgres://${OWNER}@localhost/${OWNER}?host=${encodeURIComponent(await server)}`;
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

let count = 0;

/**
 * A database of a test's own.
 * @param options.copyOf address of the one that it begins as, which nobody may have open; default: empty
 * @param options.locale SQL of ours
 */
export async function createDatabase({
  copyOf,
  locale = "LOCALE 'C.UTF-8'",
}: {
  copyOf?: string;
  locale?: string;
} = {}): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${process.pid}_${++count}`;
  const template = process.env[TEMPLATE_VARIABLE];
  if (template !== undefined) appendFileSync(listOf(template), `${name}\n`);
  const from = copyOf === undefined ? 'template0' : new URL(copyOf).pathname.slice(1);
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${from} ENCODING 'UTF8' ${locale}`);
  const url = new URL(await serverUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

/** Ends all connections to a database, as a restart of the server or a broken network does. */
export async function endConnections(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
}
