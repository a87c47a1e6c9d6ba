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

/** In order; a bookmark ends a part, so that what comes behind it is known to be new. */
export function* readLines(lines: readonly Line[]): Generator<Read> {
  let events: ObjectEvent[] = [];
  let version: string | undefined;
  let isFlawed = false;
  for (const line of lines) {
    const message = line.kind === 'line' ? parsed(line.text) : undefined;
    const type = at(message, 'type');
    const object = at(message, 'object');
    const own = versionOf(object);
    if (type === 'ERROR') {
      yield { events, version, hasBookmark: false, error: object ?? {}, isFlawed };
      return;
    }
    version = own ?? version;
    if (type === 'BOOKMARK' && own !== undefined) {
      yield { events, version, hasBookmark: true, error: undefined, isFlawed };
      events = [];
      isFlawed = false;
    } else if (
      own !== undefined &&
      isObject(object) &&
      (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED')
    ) {
      events.push({ type, object });
    } else isFlawed = true;
  }
  if (events.length > 0 || isFlawed) yield { events, version, hasBookmark: false, error: undefined, isFlawed };
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
