import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One request of a gateway log, as the JSON text that `kong.log.serialize()` gave. */
export interface LoggedEntry {
  json: string;
  /** Where it stands: "access.log:17". */
  place: string;
}

/**
 * Reads Kong's JSON logs: a line holds one entry, as the file-log plugin writes it, or a list of entries, as http-log
 * sends them in a batch. Empty lines are passed over; a line that is no JSON is handed on and judged with the others.
 * @param paths files, "-" for standard input
 */
export async function* readLogEntries(paths: readonly string[]): AsyncGenerator<LoggedEntry> {
  for (const path of paths) {
    const input = path === '-' ? process.stdin : createReadStream(path);
    let lineNumber = 0;
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber++;
      const place = `${path}:${lineNumber}`;
      for (const json of entriesOf(line.trim())) yield { json, place };
    }
  }
}

function entriesOf(line: string): string[] {
  if (line === '') return [];
  if (!line.startsWith('[')) return [line];
  try {
    const entries: unknown = JSON.parse(line);
    return Array.isArray(entries) ? entries.map((entry) => JSON.stringify(entry)) : [line];
  } catch {
    return [line];
  }
}
