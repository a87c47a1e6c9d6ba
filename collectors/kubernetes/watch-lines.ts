import { at, isObject, textAt } from './json.ts';
import type { Line } from './lines.ts';
import type { ObjectEvent } from './tracker.ts';

const MAX_VERSION_LENGTH = 256;

/** What some lines of a watch say. */
export interface Read {
  readonly events: readonly ObjectEvent[];
  /** To go on from. */
  readonly version: string | undefined;
  /** The server said that nothing has been left out up to now. */
  readonly hasBookmark: boolean;
  readonly error: unknown;
  readonly isFlawed: boolean;
}

export function readLines(lines: readonly Line[]): Read {
  const events: ObjectEvent[] = [];
  let latest: string | undefined;
  let hasBookmark = false;
  let isFlawed = false;
  for (const line of lines) {
    const message = line.kind === 'line' ? parsed(line.text) : undefined;
    const type = at(message, 'type');
    const object = at(message, 'object');
    if (type === 'ERROR') return { events, version: latest, hasBookmark, error: object ?? {}, isFlawed };
    const version = versionOf(object);
    if (version === undefined) isFlawed = true;
    else if (type === 'BOOKMARK') hasBookmark = true;
    else if ((type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') && isObject(object)) {
      events.push({ type, object });
    } else isFlawed = true;
    latest = version ?? latest;
  }
  return { events, version: latest, hasBookmark, error: undefined, isFlawed };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Opaque: it is handed back as it came. */
export function versionOf(object: unknown): string | undefined {
  const version = textAt(object, 'metadata', 'resourceVersion');
  return version !== undefined && version.length <= MAX_VERSION_LENGTH ? version : undefined;
}
