import { parseJsonText } from '../../platform/json.ts';

/**
 * The data of a stored event. Ingest stores nothing but JSON; what is none all the same (a file that somebody has edited)
 * is read as no data, and is a problem of that event alone.
 */
export function parseData(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}
