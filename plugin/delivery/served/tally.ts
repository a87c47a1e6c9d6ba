import type { Clock } from '../../../delivery/clock.ts';
import { createTallyFile, listTallies, readTally, type TallyFile, type WrittenTally } from './tally-file.ts';

/** Counts one request, by what has become of its log entry. `requestId`: the same when Kong tells of it once more. */
export type Counter = (outcome: string, requestId?: string) => void;

/** What this process counts, on disk in the same step in which Kong is told that a request is over. */
export interface TallyBook {
  readonly process: string;
  readonly count: Counter;
  /** Writes what is new. Never throws. */
  settle(): void;
  /** Another process is gone: the requests that it had counted last do not count again. Never throws. */
  recall(): void;
  /** What was written last, or was to be. */
  written(): WrittenTally;
  /** To be called every few seconds: makes the file anew when somebody has removed it. */
  beat(): void;
  close(): void;
}

export interface TallyOptions {
  readonly folder: string;
  readonly process: string;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

/** With some ten outcomes, what fits into a page. */
const MAX_OUTCOMES = 32;
const OTHER = 'other';
/** Of one turn of the event loop. Kong has been told of all before. */
const MAX_LAST_REQUESTS = 40;
const MAX_REQUEST_ID_LENGTH = 40;
/** A process that was killed has told Kong of all but the last requests; Kong tells of these once more, within moments. */
const TOLD_AGAIN_WITHIN_MS = 60_000;
/** Our host settles before each answer. Under Kong's own plugin server nobody does. */
const UNSETTLED_MS = 20;

export function createTallyBook({ folder, process, clock, onTrouble }: TallyOptions): TallyBook {
  const outcomes: Record<string, number> = {};
  const countedBefore = new Set<string>();
  let recalledAt = 0;
  let lastRequests: string[] = [];
  let written: WrittenTally = { sequence: 0, outcomes: {}, lastRequests };
  let isDirty = false;
  let isSettledByHost = false;
  let isTimed = false;
  let file: TallyFile | undefined;
  recall();
  tryDisk(makeFile);

  function recall(): void {
    recalledAt = clock.now();
    for (const other of listTallies(folder)) {
      if (other === process) continue;
      for (const id of readTally(folder, other)?.lastRequests ?? []) countedBefore.add(id);
    }
  }

  function makeFile(): void {
    file?.close();
    file = undefined;
    file = createTallyFile(folder, process, JSON.stringify(written));
  }

  function tryDisk(run: () => void): void {
    try {
      run();
    } catch (error) {
      onTrouble(error);
    }
  }

  function write(): void {
    if (!isDirty) return;
    isDirty = false;
    written = { sequence: written.sequence + 1, outcomes: { ...outcomes }, lastRequests };
    lastRequests = [];
    tryDisk(() => file?.write(JSON.stringify(written)));
  }

  function writeLater(): void {
    if (isTimed) return;
    isTimed = true;
    const run = () => {
      isTimed = false;
      write();
    };
    clock.setTimer(run, UNSETTLED_MS, { background: true });
  }

  return {
    process,
    count(outcome, requestId) {
      if (requestId !== undefined && countedBefore.size > 0 && countedBefore.delete(requestId)) return;
      const isKnown = outcome in outcomes || Object.keys(outcomes).length < MAX_OUTCOMES;
      const name = isKnown ? outcome : OTHER;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
      const isShort = requestId !== undefined && requestId.length <= MAX_REQUEST_ID_LENGTH;
      if (isShort && lastRequests.length < MAX_LAST_REQUESTS) lastRequests.push(requestId);
      isDirty = true;
      if (!isSettledByHost) writeLater();
    },
    settle() {
      isSettledByHost = true;
      write();
    },
    recall,
    written: () => written,
    beat() {
      if (clock.now() - recalledAt > TOLD_AGAIN_WITHIN_MS) countedBefore.clear();
      if (file?.isThere() !== true) tryDisk(makeFile);
    },
    close() {
      write();
      file?.close();
      file = undefined;
    },
  };
}
