/**
 * The work of one turn of the event loop, in the order that costs least: the plugin's for all that has been read, over
 * whatever connection; then what that came to is stored in one step; then all answers leave, so that Kong is woken once.
 */
export interface Turn {
  /** Leaves at the end of the turn. */
  answer(write: () => void): void;
  /** Runs before the answers of the turn leave. What is done by the end of its promises is answered among them. */
  beforeAnswers(run: () => void): void;
}

export interface TurnOptions {
  /** Runs before answers leave: stores what the plugin has taken so far. */
  readonly settle?: (() => void) | undefined;
  /** Runs when answers have left. */
  readonly afterAnswers?: ((answers: number) => void) | undefined;
}

export function createTurn({ settle, afterAnswers }: TurnOptions = {}): Turn {
  let writes: (() => void)[] = [];
  let runs: (() => void)[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // Comes when the loop has read from every connection that has something to read.
    setImmediate(work);
  }

  function work(): void {
    if (runs.length === 0) {
      leave();
      return;
    }
    const dueRuns = runs;
    runs = [];
    for (const run of dueRuns) run();
    // Comes when the promises of the plugin's work have been kept, and once more has been read.
    setImmediate(leave);
  }

  function leave(): void {
    const dueWrites = writes;
    writes = [];
    isScheduled = false;
    // Of what was read while the plugin was at work: of the next turn, or under load these answers would never leave.
    if (runs.length > 0) schedule();
    if (dueWrites.length === 0) return;
    settle?.();
    for (const write of dueWrites) write();
    afterAnswers?.(dueWrites.length);
  }

  return {
    answer(write) {
      writes.push(write);
      schedule();
    },
    beforeAnswers(run) {
      runs.push(run);
      schedule();
    },
  };
}
