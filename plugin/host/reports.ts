import { systemClock } from '../../delivery/clock.ts';
import { createLog, type Fields, type LogSink, stderrSink } from '../../delivery/log.ts';
import { createRareLog } from '../../delivery/rare-log.ts';

/** What the host tells the operator, on standard error: each kind of failure at most once a minute, with its count. */
export interface Reports {
  pluginFailed(phase: string, error: unknown): void;
  instanceFailed(error: unknown): void;
  connectionRefused(reason: string): void;
  failed(what: string, error: unknown): void;
  info(msg: string, fields?: Fields): void;
  /** Writes what was held back; for the end of the process. */
  flush(): void;
}

/** Longest path of a stack frame worth having. */
const MAX_PLACE_LENGTH = 200;

export function createReports(sink: LogSink = stderrSink): Reports {
  const log = createLog(sink);
  const rareLog = createRareLog(log, systemClock);
  const note = (key: string, msg: string, fields: Fields): void => rareLog.note({ key, level: 'error', msg, fields });
  return {
    pluginFailed: (phase, error) => note(`plugin ${phase}`, 'the plugin failed', { phase, ...describeError(error) }),
    instanceFailed: (error) => note('instance', 'an instance could not be started', describeError(error)),
    connectionRefused: (reason) => note(`connection ${reason}`, 'a connection was closed', { reason }),
    failed: (what, error) => note(what, what, describeError(error)),
    info: (msg, fields) => log('info', msg, fields),
    flush: () => rareLog.flush(),
  };
}

/**
 * What may be logged of an error that a plugin threw: its kind and place. Not its message, unless it is the host's own:
 * a parser quotes the text that it could not read, and log entries and configurations hold credentials.
 */
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: typeof error };
  if (isPlainError(error)) return { error: error.name, cause: error.message };
  const { code } = error as NodeJS.ErrnoException;
  return { error: error.name, code: typeof code === 'string' ? code : undefined, at: placeOf(error) };
}

/** The first frame of the stack, which begins with the message. */
function placeOf({ message, stack = '' }: Error): string | undefined {
  const frames = stack.slice(stack.indexOf(message) + message.length).split('\n');
  const place = frames.find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  return place?.trim().slice(0, MAX_PLACE_LENGTH);
}

const ownErrors = new WeakSet<Error>();

/** An error whose message holds nothing of what was logged or configured, so that it can be logged itself. */
export function plainError(message: string): Error {
  const error = new Error(message);
  ownErrors.add(error);
  return error;
}

export function isPlainError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'PDKError' || ownErrors.has(error));
}
