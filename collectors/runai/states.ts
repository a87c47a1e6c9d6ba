import type { Cursor, CursorChange } from '../core/source.ts';
import { isObject } from './resources.ts';

/** How far a resource has been taken. */
export interface ResourceState {
  /** All before it is. */
  readonly upToMs: number;
  /** Whether it ran then. */
  readonly runsOn: boolean;
  /** It is to be looked at until it has come to where the others are: it runs, or could not be asked. */
  readonly isFollowed: boolean;
  /** When the phase began that it was in when it was looked at. */
  readonly phaseAtMs: number | undefined;
  /** It is over, since then. */
  readonly endedMs: number | undefined;
  /** Of a pod: what it had when it was last seen running. */
  readonly allocated: unknown;
}

const PREFIX = 'resource/';
const PAGE = 1000;

/** What is remembered of resources, in the source's cursor. */
export interface States {
  get(id: string): ResourceState | undefined;
  /** Ids that are followed, and where they are. */
  readonly followed: ReadonlyMap<string, number>;
  /** The change that remembers it; `taken` is for when that is on disk. */
  change(id: string, state: ResourceState): CursorChange;
  taken(id: string, state: ResourceState): void;
  /** Of what was over before an instant, a piece at a time. */
  forgettable(beforeMs: number): Generator<readonly CursorChange[]>;
}

export function openStates(cursor: Cursor): States {
  const followed = new Map<string, number>();
  const get = (id: string) => read(cursor.get(PREFIX + id));

  function* all(): Generator<readonly { readonly key: string; readonly state: ResourceState | undefined }[]> {
    for (let after = ''; ; ) {
      const page = cursor.list(PREFIX, after, PAGE);
      yield page.map(({ key, value }) => ({ key, state: read(value) }));
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
    }
  }

  for (const page of all()) {
    for (const { key, state } of page) if (state?.isFollowed) followed.set(key.slice(PREFIX.length), state.upToMs);
  }

  return {
    get,
    followed,
    change: (id, state) => ({ key: PREFIX + id, value: write(state) }),
    taken(id, { isFollowed, upToMs }) {
      if (isFollowed) followed.set(id, upToMs);
      else followed.delete(id);
    },
    *forgettable(beforeMs) {
      for (const page of all()) {
        const over = page.filter(({ state }) => state?.endedMs !== undefined && state.endedMs < beforeMs);
        if (over.length > 0) yield over.map(({ key }) => ({ key, value: undefined }));
      }
    },
  };
}

function write({ upToMs, runsOn, isFollowed, phaseAtMs, endedMs, allocated }: ResourceState): string {
  return JSON.stringify({ u: upToMs, r: runsOn, f: isFollowed, p: phaseAtMs, e: endedMs, a: allocated });
}

function read(text: string | undefined): ResourceState | undefined {
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return undefined;
  const { u, r, f, p, e, a } = value;
  const instant = (one: unknown) => (typeof one === 'number' ? one : undefined);
  return {
    upToMs: instant(u) ?? 0,
    runsOn: r === true,
    isFollowed: f === true,
    phaseAtMs: instant(p),
    endedMs: instant(e),
    allocated: a,
  };
}
