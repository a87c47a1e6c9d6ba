import { at, isObject, textAt } from './json.ts';
import type { Line } from './lines.ts';
import type { ObjectEvent } from './tracker.ts';

const MAX_VERSION_LENGTH = 256;

/** What some lines of a watch say. */
export interface Read {
  readonly events: readonly ObjectEvent[];
  readonly eventVersion: string | undefined;
  /** The version of a bookmark behind all events; one before an event proves less than that event. */
  readonly bookmark: string | undefined;
  readonly error: unknown;
  readonly isFlawed: boolean;
}

export function readLines(lines: readonly Line[]): Read {
  const events: ObjectEvent[] = [];
  let eventVersion: string | undefined;
  let bookmark: string | undefined;
  let isFlawed = false;
  for (const line of lines) {
    const message = line.kind === 'line' ? parsed(line.text) : undefined;
    const type = at(message, 'type');
    const object = at(message, 'object');
    if (type === 'ERROR') return { events, eventVersion, bookmark, error: object ?? {}, isFlawed };
    const version = versionOf(object);
    if (type === 'BOOKMARK' && version !== undefined) bookmark = version;
    else if (
      (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') &&
      isObject(object) &&
      version !== undefined
    ) {
      events.push({ type, object });
      eventVersion = version;
      bookmark = undefined;
    } else isFlawed = true;
  }
  return { events, eventVersion, bookmark, error: undefined, isFlawed };
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
