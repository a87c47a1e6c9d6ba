import { parseArgs } from 'node:util';
import type { Clock } from '../delivery/clock.ts';
import type { Log } from '../delivery/log.ts';
import { readSpan, withoutPast } from './backfill-span.ts';
import { type Config, ConfigError, readConfig } from './config/read-config.ts';
import { convert } from './convert/convert.ts';
import type { Span } from './core/source.ts';
import { dryRun } from './dry-run.ts';
import { runCollectors } from './run.ts';
import { SOURCES } from './sources.ts';
import { printDeadLetters, printStatus, resendDeadLetters } from './spool-commands.ts';

const USAGE = `Collects usage from a source, maps it to events and sends them to the backend.

  npm run collect -- --config FILE              runs until SIGTERM
  npm run collect -- --config FILE --check      says everything that is wrong with the configuration
  npm run collect -- --config FILE --once       reads what is there, delivers it and ends
  npm run collect -- --config FILE --dry-run    prints events instead of sending them; keeps nothing
  npm run collect -- --config FILE --status     what waits, what was refused; of a collector that is not running
  npm run collect -- --convert FILE             writes a configuration for OpenMeter's collector as one of ours
  npm run collect -- --config FILE --dead-letters    the latest records that made no event, and refused events
  npm run collect -- --config FILE --dead-letters --resend    brings back those that can be, for the next start
  npm run collect -- --config FILE --backfill FROM..TO        reads a part of the past once more and delivers it
`;

/** What the command needs of its surroundings. */
export interface CollectIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Takes events and answers. */
  print(text: string): void;
  /** Takes what is wrong. */
  say(line: string): void;
  /** @throws Error when there is no such file */
  readText(file: string): string;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
}

const OPTIONS = {
  config: { type: 'string' },
  check: { type: 'boolean', default: false },
  once: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  status: { type: 'boolean', default: false },
  convert: { type: 'string' },
  'dead-letters': { type: 'boolean', default: false },
  resend: { type: 'boolean', default: false },
  backfill: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** @returns the exit code: 0, 1 when it could not go on, 2 when the command or its configuration is wrong */
export async function runCollect(args: string[], io: CollectIo): Promise<number> {
  const values = readOptions(args, io);
  if (values === undefined) return 2;
  if (values.convert !== undefined) return printConverted(values.convert, io);
  if (values.help || values.config === undefined) {
    (values.help ? io.print : io.say)(USAGE);
    return values.help ? 0 : 2;
  }
  let config: Config;
  try {
    config = readConfig(io.readText(values.config), SOURCES, io);
  } catch (error) {
    io.say(error instanceof ConfigError ? error.message : `${values.config} cannot be read`);
    return 2;
  }
  const span = values.backfill === undefined ? undefined : readSpan(values.backfill);
  const problem = problemOf(values, span, config, io);
  if (span === 'wrong' || problem !== undefined) {
    io.say(problem ?? '');
    return 2;
  }
  try {
    if (values.check) io.print('The configuration is fine.\n');
    else if (values.status) printStatus(config, io);
    else if (values['dead-letters'] && values.resend) await resendDeadLetters(config, io);
    else if (values['dead-letters']) printDeadLetters(config, io);
    else if (values['dry-run']) await dryRun(config, values.once, (line) => io.print(`${line}\n`), io);
    else await runCollectors(config, { once: values.once, span }, io);
    return 0;
  } catch (error) {
    io.say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

function problemOf(values: Options, span: Span | 'wrong' | undefined, { collectors }: Config, io: CollectIo) {
  if (values.resend && !values['dead-letters']) return '--resend goes with --dead-letters';
  if (span === 'wrong') {
    return '--backfill must be two instants or days in order, such as 2026-11-01T00:00:00Z..2026-11-02T06:00:00Z';
  }
  if (span !== undefined && values['dry-run']) return '--backfill reads and delivers; there is no --dry-run of it';
  return span && withoutPast(collectors, io);
}

function printConverted(file: string, { readText, print, say }: CollectIo): number {
  try {
    const { yaml, notes } = convert(readText(file));
    print(yaml);
    for (const note of notes) say(note);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

function readOptions(args: string[], io: CollectIo) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    io.say(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
