import { writeSync } from 'node:fs';

export type Level = 'info' | 'warn' | 'error';
/** Values of a log line. Strings are cut to a bounded length. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;
export type Log = (level: Level, msg: string, fields?: Fields) => void;
/** Takes one line without its line break. */
export type LogSink = (line: string) => void;

/** Long enough for a problem's detail, short enough that no body of an answer can fill the gateway's error log. */
const MAX_STRING_LENGTH = 300;

/**
 * One JSON object per line: level, msg, and the fields that have a value. No time: Kong puts its own before each line.
 * Nothing is thrown, whatever the sink does.
 */
export function createLog(sink: LogSink): Log {
  return (level, msg, fields = {}) => {
    const line: Record<string, string | number | boolean> = { level, msg };
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) line[name] = typeof value === 'string' ? cut(value) : value;
    }
    try {
      sink(JSON.stringify(line));
    } catch {
      // A log that cannot be written must not stop deliveries.
    }
  };
}

/**
 * Standard error, which Kong copies into its error log; standard output is the plugin dump. Written without
 * `process.stderr`, which would raise an 'error' event, and so end the process, when a killed Kong has left the pipe.
 */
export const stderrSink: LogSink = (line) => {
  writeSync(2, `${line}\n`);
};

function cut(text: string): string {
  return text.length > MAX_STRING_LENGTH ? `${text.slice(0, MAX_STRING_LENGTH)}…` : text;
}
