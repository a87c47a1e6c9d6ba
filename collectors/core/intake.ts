import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../delivery/clock.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import type { Mapped, Mapping } from '../mapping/mapping.ts';
import { type Made, makeEvents } from './events.ts';
import { pause, type Refusal, type SourceRecord, SpoolUnavailable, type Step, Stopped, type Taken } from './source.ts';
import type { DeadLetter, SpoolPart } from './spool.ts';

/** The way from a source's step into the spool. */
export interface Intake {
  readonly counts: { readonly received: number; readonly unmapped: number };
  take(step: Step): Promise<Taken>;
  tryTake(step: Step): Promise<Taken>;
}

export interface IntakeOptions {
  readonly name: string;
  readonly mapping: Mapping;
  readonly part: Pick<SpoolPart, 'commit' | 'room'>;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly signal: AbortSignal;
}

/**
 * So many records are mapped before whatever else waits has its turn: as many as a request has as a rule, so that there is
 * one at a time in memory in its decoded form, which takes ten times as much as its events.
 */
const RECORDS_A_TURN = 2000;
/** Or so long, of records that take long: who asks for the health of the process must have an answer. */
const TURN_MS = 50;
/** Events that are in memory before they are written; a step of more is written in parts. */
const PART_CHARACTERS = 8 * 1024 * 1024;
const DISK_PAUSE_MS = 1000;

type MadeOrFailed = Made | { readonly kind: 'failed'; readonly reason: string };

export function createIntake({ name, mapping, part, clock, rareLog, signal }: IntakeOptions): Intake {
  const counts = { received: 0, unmapped: 0 };

  function madeOf(record: SourceRecord): MadeOrFailed | Promise<MadeOrFailed> {
    if (record.problem !== undefined) return { kind: 'refused', reason: record.problem };
    const mapped = mapping(record.message, record);
    return mapped instanceof Promise ? mapped.then((late) => eventsOf(late, record)) : eventsOf(mapped, record);
  }

  function eventsOf(mapped: Mapped, record: SourceRecord): MadeOrFailed {
    return mapped.kind === 'failed' ? mapped : makeEvents(mapped.result, name, record);
  }

  async function tryTake({ records, cursor = [], check }: Step): Promise<Taken> {
    const refusals: Refusal[] = [];
    let part = emptyPart();
    let events = 0;
    let index = 0;
    let isChecked = false;
    let turn = { records: 0, startedAtMs: clock.now() };
    for (const record of records) {
      if (turn.records === RECORDS_A_TURN || clock.now() - turn.startedAtMs > TURN_MS) {
        await setImmediate();
        turn = { records: 0, startedAtMs: clock.now() };
      }
      turn.records++;
      const making = madeOf(record);
      // Most mappings need no waiting, which takes as long as they do.
      const made = making instanceof Promise ? await making : making;
      if (made.kind === 'events') part.add(made.events);
      else {
        refusals.push({ index, reason: made.reason });
        part.bury(made.reason, recordText(record));
      }
      events += made.kind === 'events' ? made.events.length : 0;
      index++;
      if (part.characters < PART_CHARACTERS) continue;
      if (!isChecked) await check?.();
      isChecked = true;
      // Without the cursor: who is killed now reads the step again, and its ids count once.
      await commit({ events: part.events, dead: part.dead, cursor: [] });
      part = emptyPart();
    }
    await commit({ events: part.events, dead: part.dead, cursor });
    counts.received += index;
    counts.unmapped += refusals.length;
    const [first] = refusals;
    if (first !== undefined) {
      rareLog.note({
        key: `${name} unmapped`,
        level: 'warn',
        msg: 'records make no events; they are kept as dead letters',
        fields: { collector: name, reason: first.reason },
        count: refusals.length,
      });
    }
    return { events, refusals };
  }

  async function commit(commit: Parameters<SpoolPart['commit']>[0]): Promise<void> {
    try {
      await part.commit(commit);
    } catch (error) {
      if (error instanceof SpoolUnavailable) {
        rareLog.note({
          key: `${name} full`,
          level: 'error',
          msg: 'the spool is full; the source has to wait',
          fields: { collector: name },
        });
        throw error;
      }
      const fields = { collector: name, cause: error instanceof Error ? error.message : String(error) };
      rareLog.note({ key: `${name} disk`, level: 'error', msg: 'the spool cannot be written', fields });
      throw new SpoolUnavailable('the spool cannot be written');
    }
  }

  return {
    counts,
    tryTake,
    async take(step) {
      for (;;) {
        await part.room(signal);
        try {
          return await tryTake(step);
        } catch (error) {
          if (!(error instanceof SpoolUnavailable)) throw error;
        }
        await pause(clock, DISK_PAUSE_MS, signal);
        if (signal.aborted) throw new Stopped();
      }
    },
  };
}

function emptyPart() {
  const part = {
    events: [] as string[],
    dead: [] as DeadLetter[],
    characters: 0,
    add(events: readonly string[]) {
      for (const event of events) {
        part.events.push(event);
        part.characters += event.length;
      }
    },
    bury(reason: string, record: string) {
      part.dead.push({ kind: 'unmapped', reason, record });
      part.characters += record.length;
    },
  };
  return part;
}

/** What is kept of a record that makes no event, and is enough to map it once more. */
function recordText({ message, meta, at, parts, partsOf, problem }: SourceRecord): string {
  try {
    // A broken row has no message to map; and what tells several events of one message apart is the source's own.
    const isWhole = partsOf === undefined && problem === undefined;
    return JSON.stringify({ message, meta, ...(isWhole && { at, parts }) });
  } catch {
    // A message that is no JSON (a cycle, a bigint) is a mistake of the source; that it came is worth keeping.
    return '{}';
  }
}
