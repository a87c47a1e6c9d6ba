import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createApiClient } from './api-client.ts';
import { type CatalogFile, locate, readCatalogFile } from './catalog-file.ts';
import type { Change } from './change.ts';
import { dumpCatalog } from './dump.ts';
import { at, CatalogError, catalogError } from './errors.ts';
import { planChanges } from './plan-changes.ts';
import { changeLines, summaryLines } from './report.ts';
import { readServerCatalog } from './server-catalog.ts';

const USAGE = `The product catalog as a file: meters, features, plans, add-ons, tax codes.

  npm run catalog -- diff FILE     shows what apply would do; - for standard input
  npm run catalog -- apply FILE    creates and updates what the file has; what it does not have stays
  npm run catalog -- dump FILE     writes the server's catalog; - for standard output

  --url URL                   of the backend, else METERING_URL, else http://127.0.0.1:8888
  --token-file FILE           has the access token, else METERING_TOKEN is the token
  --yes, -y                   do not ask; for apply, and for dump over a file that is there
  --new-version               a published plan or add-on that differs gets a new version
  --prune                     delete what the file's sections do not have; published plans and features are archived
  --non-zero-exit-code        diff ends with 2 when there are changes
`;

/** What the command needs of its surroundings. */
export interface CatalogIo {
  environment: Readonly<Record<string, string | undefined>>;
  /** Takes the changes, or the dump. */
  print(text: string): void;
  /** Takes errors and progress. */
  say(line: string): void;
  /** Asks a person; undefined when there is none. */
  ask(question: string): Promise<boolean | undefined>;
  readText(file: string): string;
}

const OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  yes: { type: 'boolean', short: 'y', default: false },
  'new-version': { type: 'boolean', default: false },
  prune: { type: 'boolean', default: false },
  'non-zero-exit-code': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>['values'];

const DEFAULT_URL = 'http://127.0.0.1:8888';

/** @returns the exit code: 0, 1 when something is wrong or refused, 2 for differences that were asked to be told so */
export async function runCatalog(args: string[], io: CatalogIo): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
    const [command = '', file, ...more] = positionals;
    if (values.help) {
      io.print(USAGE);
      return 0;
    }
    if (!['diff', 'apply', 'dump'].includes(command)) throw catalogError(`give a command\n\n${USAGE}`);
    if (file === undefined || more.length > 0) throw catalogError(`${command} takes one file\n\n${USAGE}`);
    if (command === 'dump') return await dump(file, values, io);
    return await diffOrApply(command === 'apply', file, values, io);
  } catch (error) {
    if (!isMistake(error)) throw error;
    const messages = error instanceof CatalogError ? error.problems.map(({ message }) => message) : [error.message];
    for (const message of messages) io.say(message);
    return 1;
  }
}

function connect(options: Options, io: CatalogIo) {
  const url = options.url ?? io.environment['METERING_URL'] ?? DEFAULT_URL;
  const tokenFile = options['token-file'];
  const token = tokenFile === undefined ? io.environment['METERING_TOKEN'] : io.readText(tokenFile).trim();
  return createApiClient(url, token === '' ? undefined : token);
}

async function dump(file: string, options: Options, io: CatalogIo): Promise<number> {
  if (file !== '-' && existsSync(file) && !options.yes) {
    const answer = await io.ask(`${file} is there already. Overwrite it?`);
    if (answer === undefined) throw catalogError(`${file} is there already: give --yes to overwrite it`);
    if (!answer) return 1;
  }
  const text = dumpCatalog(await readServerCatalog(connect(options, io)));
  if (file === '-') io.print(text);
  else writeFileSync(file, text);
  return 0;
}

async function diffOrApply(isApply: boolean, file: string, options: Options, io: CatalogIo): Promise<number> {
  const catalogFile = readCatalogFile(file);
  const api = connect(options, io);
  const server = await readServerCatalog(api);
  const changes = await located(catalogFile, async () =>
    planChanges(catalogFile, { api, server, newVersions: options['new-version'], prune: options.prune }),
  );
  const refusals = changes.filter(({ refusal }) => refusal !== undefined);
  for (const line of changes.flatMap(changeLines)) io.print(`${line}\n`);
  for (const { what, key, path, refusal = '' } of refusals) {
    const message = `${what} ${key}: ${refusal}`;
    io.say(path === undefined ? message : locate(catalogFile.name, catalogFile.positionOf, { path, message }));
  }
  if (!isApply || changes.length === 0) {
    io.print(`${summaryLines(changes).join('\n')}\n`);
    const differs = options['non-zero-exit-code'] && changes.length > 0;
    return differs ? 2 : 0;
  }
  if (refusals.length > 0) throw catalogError('nothing was changed');
  return apply(changes, catalogFile, options, io);
}

async function apply(changes: readonly Change[], file: CatalogFile, options: Options, io: CatalogIo): Promise<number> {
  if (!options.yes) {
    const answer = await io.ask('Apply these changes?');
    if (answer === undefined) throw catalogError('nothing was changed: give --yes to apply without being asked');
    if (!answer) return 1;
  }
  const done: Change[] = [];
  try {
    for (const change of changes) {
      await located(file, () => (change.path === undefined ? change.run() : at(change.path, change.run)));
      done.push(change);
    }
  } catch (error) {
    io.say(`${done.length} of ${changes.length} changes are made; apply again once the cause is gone:`);
    throw error;
  } finally {
    io.print(`${summaryLines(done).join('\n')}\n`);
  }
  return 0;
}

/** Writes places in the file into the messages of problems. */
async function located<T>(file: CatalogFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    throw new CatalogError(error.problems.map((problem) => ({ message: locate(file.name, file.positionOf, problem) })));
  }
}

/** Wrong arguments, files and refusals are the caller's to put right; everything else is ours. */
function isMistake(error: unknown): error is Error {
  if (error instanceof CatalogError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS') || ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(code);
}
