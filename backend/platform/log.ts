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
  return destination === undefined ? pino(options) : pino(options, destination);
}
