/**
 * The work of one turn of the event loop, put into a better order: first all that Kong waits for, over all connections,
 * and then the plugin. Kong is at work again while the plugin is, and is woken once for many answers.
 */
export interface Turn {
  answer(write: () => void): void;
  afterAnswers(run: () => void): void;
}

/** @param settle runs before answers leave: stores what the plugin has taken so far */
export function createTurn(settle: () => void = () => undefined): Turn {
  let writes: (() => void)[] = [];
  let runs: (() => void)[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // Comes when the loop has read from every connection that has something to read.
    setImmediate(finish);
  }

  function finish(): void {
    const [dueWrites, dueRuns] = [writes, runs];
    writes = [];
    runs = [];
    isScheduled = false;
    if (dueWrites.length > 0) settle();
    for (const write of dueWrites) write();
    for (const run of dueRuns) run();
  }

  return {
    answer(write) {
      writes.push(write);
      schedule();
    },
    afterAnswers(run) {
      runs.push(run);
      schedule();
    },
  };
}
