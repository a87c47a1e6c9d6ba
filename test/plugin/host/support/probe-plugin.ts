import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own that goes away with `remove`. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'plugin-host-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Writes a plugin module; @returns its path */
export async function writePlugin(folder: TemporaryFolder, name: string, source: string): Promise<string> {
  const path = join(folder.path, `${name}.cjs`);
  await writeFile(path, source);
  return path;
}

/** A plugin whose log phase writes what its configuration's `say` is, and the log entry, to standard error. */
export const ECHO = `
exports.Name = 'echo';
exports.Version = '1.2.3';
exports.Plugin = class {
  constructor(config) {
    if (config.fail) throw new TypeError('the configuration holds ' + config.secret);
    this.config = config;
  }
  async log(kong) { process.stderr.write('<' + this.config.say + ' ' + await kong.log.serialize() + '>\\n'); }
};`;

/** The same with its one call made in advance. */
export const PREFETCHING_ECHO = `${ECHO} exports.Prefetch = { log: ['kong.log.serialize'] };`;
