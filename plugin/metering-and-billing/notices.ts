import { writeSync } from 'node:fs';

/**
 * How many notices are remembered. Every worker starts its own instance of a configuration and repeats what is wrong
 * with it; a gateway has a handful of configurations, and one that has thousands loses nothing but a repeated line.
 */
const MAX_REMEMBERED = 1000;

const said = new Set<string>();

/**
 * Says something about one configuration on stderr, once in the life of this process, as a line of JSON without a time:
 * Kong copies it into its error log and puts the time before it. Standard output belongs to the plugin dump. Never
 * throws; a notice that cannot be written, since a killed Kong has left the pipe, has no reader either.
 */
export function noticeOnce(level: 'warn' | 'error', msg: string, fields: Readonly<Record<string, string>>): void {
  const line = JSON.stringify({ level, msg, ...fields });
  if (said.has(line)) return;
  if (said.size >= MAX_REMEMBERED) said.clear();
  said.add(line);
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // See above.
  }
}
