/** What a billing run does, in this order. */
export const STAGES = ['generate', 'collect', 'advance', 'overdue'] as const;
export type Stage = (typeof STAGES)[number];

/** What went wrong with one customer or invoice. The others are not held up by it. */
export interface RunError {
  stage: Stage;
  itemId: string;
  message: string;
  at: string;
}

export interface BillingRun {
  id: string;
  /** The now of the run. */
  asOfMs: number;
  /** Charges of all subscribers are worked out, not only of those that are due. */
  isFull: boolean;
  startedBy: 'schedule' | 'api';
  stage: Stage | 'finished';
  /** The last item of the stage that is done; empty: none. */
  afterId: string;
  done: number;
  /** Items of the stage that are done, and that there were when it began. */
  stageDone: number;
  stageTotal: number;
  failed: number;
  lastError?: RunError;
  createdAtMs: number;
  updatedAtMs: number;
  finishedAtMs?: number;
}
