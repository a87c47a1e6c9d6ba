import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * JSON lines on standard output. Never log bodies, tokens or headers: this only masks the fields that would carry them
 * by accident.
 */
export function createLogger(level: string, destination?: NodeJS.WritableStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['authorization', '*.authorization', 'token', '*.token', 'headers'], censor: '[hidden]' },
  };
  // Written as fast as the pipe takes it, but never in the way of a request; what is left is written at the exit.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false }));
}
