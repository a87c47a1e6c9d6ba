import type { Clock } from '../clock.ts';
import type { Generation } from './account.ts';
import {
  createTallyFile,
  fitsPage,
  listTallies,
  parseTally,
  readTally,
  type TallyFile,
  tallyJson,
  type WrittenTally,
} from './tally-file.ts';

/** Counts one request, by what has become of its log entry. `requestId`: the same when Kong tells of it once more. */
export type Counter = (outcome: string, requestId?: string) => void;

/** What this process counts, on disk in the same step in which Kong is told that a request is over. */
export interface TallyBook {
  readonly process: string;
  /** For a plugin instance that has just been started. */
  openCounter(): Counter;
  /** Writes what is new. Never throws. */
  settle(): void;
  /** What was written last. */
  written(): WrittenTally;
  /** To be called every few seconds: makes the file anew when somebody has removed it. */
  beat(): void;
  close(): void;
}

export interface TallyOptions {
  readonly folder: string;
  readonly process: string;
  readonly boot: string;
  readonly clock: Clock;
  /** Milliseconds since the machine started. */
  readonly uptimeMs: () => number;
  /** When the runs of the gateway that are known started. */
  readonly runStarts: () => readonly number[];
  readonly onTrouble: (error: unknown) => void;
}

/** Kong starts the instances of all its workers within seconds; from one run to the next it takes longer. */
const SAME_BIRTH_MS = 250;
/** More would not fit into a page; see {@link mergeable}. */
const MAX_GENERATIONS = 12;
const MAX_LAST_REQUESTS = 48;
const MAX_REQUEST_ID_LENGTH = 64;
/** A process that was killed has told Kong of all but the last requests; Kong tells of these once more, within moments. */
const TOLD_AGAIN_WITHIN_MS = 60_000;
/** The host settles before each answer. Under Kong's own plugin server nobody does. */
const UNSETTLED_MS = 20;

interface Born extends Generation {
  readonly outcomes: Record<string, number>;
  /** The one that it has been added to. */
  into?: Born;
}

export function createTallyBook(options: TallyOptions): TallyBook {
  const { clock, uptimeMs, process, folder } = options;
  const generations: Born[] = [];
  let lastRequests: string[] = [];
  let sequence = 0;
  let isDirty = false;
  let isSettledByHost = false;
  let isTimed = false;
  let file: TallyFile | undefined;
  let written = json();
  const openedAt = clock.now();
  const countedBefore = new Set(
    listTallies(folder).flatMap((other) => readTally(folder, other)?.lastRequests ?? []),
  );
  tryDisk(makeFile);

  function json(): string {
    return tallyJson({ boot: options.boot, sequence, generations, lastRequests });
  }

  function makeFile(): void {
    file?.close();
    file = undefined;
    file = createTallyFile(folder, process, written);
  }

  function tryDisk(run: () => void): void {
    try {
      run();
    } catch (error) {
      options.onTrouble(error);
    }
  }

  function generationOf(bornAtMs: number): Born {
    const later = generations.findIndex((one) => one.bornAtMs > bornAtMs);
    const at = later < 0 ? generations.length : later;
    const before = generations[at - 1];
    if (before !== undefined && bornAtMs - before.bornAtMs < SAME_BIRTH_MS) return before;
    const born: Born = { bornAtMs, outcomes: {} };
    generations.splice(at, 0, born);
    if (generations.length > MAX_GENERATIONS) merge(generations, options.runStarts());
    return survivor(born);
  }

  function write(): void {
    if (!isDirty) return;
    isDirty = false;
    sequence++;
    const next = json();
    lastRequests = [];
    written = fitsPage(next) ? next : json();
    tryDisk(() => file?.write(written));
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
    openCounter() {
      const bornAtMs = uptimeMs();
      let generation: Born | undefined;
      return (outcome, requestId) => {
        if (requestId !== undefined && countedBefore.size > 0 && countedBefore.delete(requestId)) return;
        generation = generation === undefined ? generationOf(bornAtMs) : survivor(generation);
        generation.outcomes[outcome] = (generation.outcomes[outcome] ?? 0) + 1;
        if (requestId !== undefined && requestId.length <= MAX_REQUEST_ID_LENGTH && lastRequests.length < MAX_LAST_REQUESTS) {
          lastRequests.push(requestId);
        }
        isDirty = true;
        if (!isSettledByHost) writeLater();
      };
    },
    settle() {
      isSettledByHost = true;
      write();
    },
    written: () => parseTally(written),
    beat() {
      if (clock.now() - openedAt > TOLD_AGAIN_WITHIN_MS) countedBefore.clear();
      if (file?.isThere() !== true) tryDisk(makeFile);
    },
    close() {
      write();
      file?.close();
      file = undefined;
    },
  };
}

function survivor(generation: Born): Born {
  let one = generation;
  while (one.into !== undefined) one = one.into;
  return one;
}

/** Adds one to the one before it: the oldest two of one run of the gateway, if there are any. */
function merge(generations: Born[], runStarts: readonly number[]): void {
  const isOfOneRun = (index: number) => {
    const [before, after] = [generations[index - 1]?.bornAtMs ?? 0, generations[index]?.bornAtMs ?? 0];
    return !runStarts.some((startMs) => before < startMs && startMs <= after);
  };
  const found = generations.findIndex((_, index) => index > 0 && isOfOneRun(index));
  const at = Math.max(1, found);
  const [older, younger] = generations.slice(at - 1, at + 1);
  if (older === undefined || younger === undefined) return;
  for (const [outcome, count] of Object.entries(younger.outcomes)) {
    older.outcomes[outcome] = (older.outcomes[outcome] ?? 0) + count;
  }
  younger.into = older;
  generations.splice(at, 1);
}
