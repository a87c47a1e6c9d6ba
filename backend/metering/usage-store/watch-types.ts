/** How a question to the store ended. `refused`: the queue before the readers was full; `cancelled`: nobody waits any more, or it took too long. */
export type QuestionOutcome = 'answered' | 'failed' | 'cancelled' | 'refused';

/** Told what the store does, as it happens. Must not throw. */
export interface UsageWatch {
  /** A transaction of events is on disk. @param tookMs from its begin to its commit */
  onCommit?(commit: { events: number; tookMs: number }): void;
  /** A question to the readers has ended. @param tookMs the time in the queue included; 0 when it was refused */
  onQuestion?(question: { kind: string; outcome: QuestionOutcome; tookMs: number }): void;
}

/** What waits and runs at one moment, with the bounds. */
export interface UsageLoad {
  /** Events handed over and not on disk. */
  queuedEvents: number;
  maxQueuedEvents: number;
  /** Threads that read: as many questions run at the same time. */
  readerThreads: number;
  runningQuestions: number;
  waitingQuestions: number;
  maxWaitingQuestions: number;
}

/** What is stored and not yet in its final form. Queries are right all the same, only slower. */
export interface UsageUpkeep {
  /** Events of all meters that queries add up one by one, because they are not folded into roll-ups yet. */
  unfoldedEvents: number;
  /** Meters (with the same figures: one) whose older events are still being counted, and how many those are at most. */
  backFillingMeters: number;
  backFillEventsLeft: number;
  /** Quarters of an hour that corrections have touched and that are still to be computed anew. */
  quartersToRecompute: number;
  /** What a newer program has done to the file: this one must not go on with it. */
  unknownMigrations: readonly string[];
}
