import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCommand } from '../../support/programs.ts';
import { freePort } from './real-kong.ts';

const exec = promisify(execFile);

/** Whether this machine can run a PostgreSQL of its own. */
export const HAS_POSTGRES = ['initdb', 'pg_ctl', 'createdb'].every((name) => findCommand(name) !== undefined);

/** A PostgreSQL that belongs to one test, with an empty database. */
export interface Postgres {
  readonly port: number;
  readonly user: string;
  readonly name: string;
  remove(): Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-of-a-test-'));
  // PostgreSQL refuses to run as root.
  const isRoot = userInfo().uid === 0;
  const as = (program: string, args: readonly string[]) =>
    isRoot ? exec('runuser', ['-u', 'postgres', '--', program, ...args], { cwd: '/' }) : exec(program, args);
  if (isRoot) {
    const [uid = 0, gid = 0] = await Promise.all(['-u', '-g'].map((which) => idOf(which)));
    await chown(folder, uid, gid);
  }
  await chmod(folder, 0o700);
  const data = join(folder, 'data');
  await as('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync']);
  const port = await freePort();
  const settings = ['-c listen_addresses=127.0.0.1', `-c unix_socket_directories=${folder}`, '-c fsync=off'];
  await as('pg_ctl', [
    '-D',
    data,
    '-o',
    [`-p ${port}`, ...settings].join(' '),
    '-l',
    join(folder, 'log'),
    '-w',
    'start',
  ]);
  await as('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'kong']);
  return {
    port,
    user: 'postgres',
    name: 'kong',
    async remove() {
      await as('pg_ctl', ['-D', data, '-m', 'immediate', 'stop']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function idOf(which: string): Promise<number> {
  return Number.parseInt((await exec('id', [which, 'postgres'])).stdout, 10);
}
