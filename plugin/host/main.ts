import { CommandLineError, readCommandLine, USAGE } from './command-line.ts';
import { takeOverEnding } from './ending.ts';
import { describePlugin, loadPlugin, type Protocol } from './plugin-module.ts';
import { createReports, isPlainError } from './reports.ts';
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
      return dump(command.plugin, command.protocol);
    default: {
      const ending = takeOverEnding();
      const reports = createReports();
      process.on('exit', () => reports.flush());
      // Node would end the process, and with it the events that other requests have left here.
      process.on('unhandledRejection', (reason) => reports.failed('a promise was rejected, and nobody cared', reason));
      if (command.kind === 'worker') return serveAsWorker(loadPlugin(command.plugin), ending, reports);
      if (command.workers > 1) return serveWithWorkers(command, args, ending, reports);
      return serveAlone(loadPlugin(command.plugin), command.socket, ending, reports, command.protocol);
    }
  }
}

/** Kong reads standard output as JSON, so that nothing that the plugin writes while it loads may get there. */
function dump(path: string, protocol: Protocol): void {
  const write = process.stdout.write;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  const description = describePlugin(loadPlugin(path), protocol);
  process.stdout.write = write;
  process.stdout.write(`${description}\n`, () => process.exit(0));
}
