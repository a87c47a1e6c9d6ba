import { dirname, resolve } from 'node:path';
import type { LogSink } from '../../delivery/log.ts';
import { type Command, CommandLineError, KEPT_OPTION, readCommandLine, USAGE } from './command-line.ts';
import { type Ending, takeOverEnding } from './ending.ts';
import { createKeeper, identityOf } from './keeper.ts';
import { launch } from './launcher.ts';
import { whyNotWritable } from './listening.ts';
import { describePlugin, loadPlugin } from './plugin-module.ts';
import { createReports, isPlainError, type Reports } from './reports.ts';
import { serveAlone } from './serve-alone.ts';
import { serveWithWorkers } from './serve-with-workers.ts';
import { serveAsWorker } from './worker.ts';

/**
 * The plugin server's command. Resolves when it serves, or has done what it was asked for.
 * Exit codes: 1 when the plugin or the socket cannot be used, 2 for a wrong command line.
 * @param args those behind the script's name
 */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    const isUsage = error instanceof CommandLineError;
    const hint = isUsage ? '\nTry --help.' : '';
    process.stderr.write(`kong-plugin-server: ${textOf(error)}${hint}\n`, () => process.exit(isUsage ? 2 : 1));
  }
}

/** With the place where it happened, unless the message says it all. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof CommandLineError || isPlainError(error) ? error.message : (error.stack ?? error.message);
}

async function run(args: readonly string[]): Promise<void> {
  const command = readCommandLine(args);
  switch (command.kind) {
    case 'help':
      process.stdout.write(USAGE);
      return;
    case 'dump':
      return dump(command);
    case 'worker': {
      const prepared = prepare();
      return serveAsWorker(loadPlugin(command.plugin), ...prepared, command.protocol);
    }
    case 'serve':
      return serve(command, args);
  }
}

async function serve(command: Command & { kind: 'serve' }, args: readonly string[]): Promise<void> {
  if (command.role === 'launcher') return launch(command, args, createReports());
  if (command.role === 'kept') {
    const keeper = createKeeper();
    const [, program = ''] = process.argv;
    const own = args.filter((arg) => arg !== KEPT_OPTION);
    const kept = { keeper, identity: identityOf(program, command.plugin, own) };
    return serveWithWorkers(command, own, ...prepare(keeper.log, false), kept);
  }
  if (command.workers > 0) return serveWithWorkers(command, args, ...prepare());
  const prepared = prepare();
  return serveAlone(loadPlugin(command.plugin), command.socket, ...prepared, command.protocol);
}

/** Before a plugin is loaded. */
function prepare(sink?: LogSink, endsWithParent?: boolean): [Ending, Reports] {
  const ending = takeOverEnding(endsWithParent);
  const reports = createReports(sink);
  process.on('exit', () => reports.flush());
  // Node would end the process, and with it the events that other requests have left here.
  process.on('unhandledRejection', (reason) => reports.failed('a promise was rejected, and nobody cared', reason));
  return [ending, reports];
}

/** Kong reads standard output as JSON, so that nothing that the plugin writes while it loads may get there. */
function dump({ plugin: path, protocol, socket }: Command & { kind: 'dump' }): void {
  const write = process.stdout.write;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  const description = describePlugin(loadPlugin(path), protocol);
  process.stdout.write = write;
  const obstacle = socket === undefined ? undefined : whyNotWritable(dirname(resolve(socket)));
  if (obstacle !== undefined) process.stderr.write(`kong-plugin-server: ${obstacle}\n`);
  process.stdout.write(`${description}\n`, () => process.exit(0));
}
