import type { CursorChange } from '../core/source.ts';
import { instantAt } from './instants.ts';
import { at, isObject, type JsonObject, textAt } from './json.ts';
import type { ResourceKind } from './kinds.ts';
import { begin, type Changed, change, endGone, type Flaw, type Life, type Look, type Moment } from './life.ts';
import type { Progress, Row, Rows } from './rows.ts';
import type { Selector } from './selector.ts';
import { sliceOf } from './slices.ts';

export interface StepOptions {
  readonly kind: ResourceKind;
  readonly selector: Selector;
  readonly hasSelector: boolean;
  readonly intervalMs: number;
  /** How long before what has been counted something that is seen late may have begun. */
  readonly lookbackMs: number;
  readonly rows: Rows;
}

export interface Flawed {
  readonly flaw: Flaw | 'unreadable';
  readonly name: string;
}

/** When what is seen happened; up to when the object's slices are sent is the step's to know. */
export type Seen = Omit<Moment, 'sentMs'>;

/** Changes that become durable together: what is changed twice is read from here. */
export interface Step {
  readonly flaws: readonly Flawed[];
  readonly changes: readonly CursorChange[];
  /** @param isNew it was made in the time that we have seen: what is not known of it did not happen */
  observe(object: unknown, list: number, isNew: boolean, momentOf: (look: Look) => Seen): void;
  /** Its deletion is its end. */
  end(object: JsonObject, moment: Seen): void;
  gone(uid: string, moment: Seen, name?: string): void;
  /** A list has not seen it: forget that it was counted to its end. */
  forget(uid: string): void;
}

const MAX_UID_LENGTH = 128;

/** @returns undefined for what cannot be told from others, or when it began */
export function identityOf(object: unknown): { readonly uid: string; readonly createdMs: number } | undefined {
  const uid = textAt(object, 'metadata', 'uid');
  const createdMs = instantAt(object, 'metadata', 'creationTimestamp');
  return uid === undefined || uid.length > MAX_UID_LENGTH || createdMs === undefined ? undefined : { uid, createdMs };
}

export function createStep(options: StepOptions, { closedMs }: Progress): Step {
  const { kind, selector, hasSelector, lookbackMs, rows } = options;
  const changed = new Map<string, Row | undefined>();
  const done = new Map<string, number | undefined>();
  const flaws: Flawed[] = [];

  const rowOf = (uid: string) => (changed.has(uid) ? changed.get(uid) : rows.row(uid));
  const doneOf = (uid: string) => (done.has(uid) ? done.get(uid) : rows.done(uid));
  const sentMs = (row: Row | undefined, nowMs: number) => row?.dueMs ?? closedMs ?? nowMs - lookbackMs;
  function put(uid: string, row: Row, made: Changed, name: string): void {
    changed.set(uid, row);
    for (const flaw of made.flaws) flaws.push({ flaw, name });
  }

  function observe(object: unknown, list: number, isNew: boolean, momentOf: (look: Look) => Seen): void {
    const identity = identityOf(object);
    const name = nameOf(object);
    if (!isObject(object) || identity === undefined) {
      flaws.push({ flaw: 'unreadable', name });
      return;
    }
    const { uid, createdMs } = identity;
    const doneIn = doneOf(uid);
    if (doneIn !== undefined) {
      if (doneIn !== list) done.set(uid, list);
      return;
    }
    const known = rowOf(uid);
    if (known === undefined && !selector(at(object, 'metadata', 'labels'))) return;
    const look = kind.look(object, createdMs);
    const seen = momentOf(look);
    const moment = { ...seen, sentMs: sentMs(known, seen.nowMs) };
    // It was there before, and was not selected then.
    const fromMs = isNew || !hasSelector ? undefined : seen.changedMs;
    const made =
      known === undefined ? begin(look, moment, fromMs) : change(begun(known.life, look, seen), look, moment);
    put(uid, { life: made.life, list, ...dueOf(known, made.life) }, made, name);
  }

  function begun(life: Life, look: Look, { changedMs }: Seen): Life {
    const hasWaited = kind.beginsWhenSeen === true && life.runs.length === 0 && look.runs.length > 0;
    return hasWaited ? { ...life, fromMs: changedMs } : life;
  }

  /** What has begun before what was counted, and of which nothing was, is counted from its beginning. */
  function dueOf(row: Row | undefined, life: Life): { readonly dueMs?: number } {
    const { runs, scheduledMs, createdMs, fromMs = 0 } = life;
    const known = row?.dueMs;
    const kept = known === undefined ? {} : { dueMs: known };
    if (closedMs === undefined || runs.length === 0 || (row?.life.runs.length ?? 0) > 0) return kept;
    const firstMs = runs.reduce((least, { startMs }) => Math.min(least, startMs), scheduledMs ?? createdMs);
    const dueMs = sliceOf(Math.max(firstMs, fromMs, closedMs - lookbackMs), options.intervalMs);
    return dueMs >= closedMs ? kept : { dueMs: Math.min(dueMs, known ?? dueMs) };
  }

  return {
    flaws,
    get changes() {
      return [
        ...[...changed].map(([uid, row]) => rows.ofRow(uid, row)),
        ...[...done].map(([uid, list]) => rows.ofDone(uid, list)),
      ];
    },
    observe,
    end(object, seen) {
      const identity = identityOf(object);
      const known = identity && rowOf(identity.uid);
      if (identity === undefined || known === undefined) return;
      const look = { ...kind.look(object, identity.createdMs), isOver: true, overMs: seen.nowMs };
      const made = change(known.life, look, { ...seen, sentMs: sentMs(known, seen.nowMs) });
      put(identity.uid, { ...known, life: made.life }, made, nameOf(object));
    },
    gone(uid, seen, name = uid) {
      if (doneOf(uid) !== undefined) {
        done.set(uid, undefined);
        return;
      }
      const known = rowOf(uid);
      if (known === undefined) return;
      const made = endGone(known.life, { ...seen, sentMs: sentMs(known, seen.nowMs) });
      put(uid, { ...known, life: made.life, list: GONE }, made, name);
    },
    forget(uid) {
      done.set(uid, undefined);
    },
  };
}

/** In place of the number of a list: no list will see it again. */
export const GONE = -1;

export function nameOf(object: unknown): string {
  const namespace = textAt(object, 'metadata', 'namespace');
  const name = (textAt(object, 'metadata', 'name') ?? '?').slice(0, 253);
  return namespace === undefined ? name : `${namespace.slice(0, 63)}/${name}`;
}
