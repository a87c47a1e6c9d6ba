import type { Clock } from './clock.ts';

/** How it went with work that is done from time to time without a request. */
export interface JobState {
  succeeded: number;
  failed: number;
  /** undefined: it has not succeeded since the process began. */
  lastSuccessAtMs: number | undefined;
  lastTookMs: number;
  hasLastFailed: boolean;
}

/** Does a job's work and notes how it went; what the work throws is thrown on. */
export type TrackJob = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export interface JobLog {
  track: TrackJob;
  /** Of every job that has run since the process began, by name. */
  states(): ReadonlyMap<string, Readonly<JobState>>;
}

/** Keeps how the last run of each job went, for metrics and readiness. */
export function createJobLog(clock: Clock): JobLog {
  const states = new Map<string, JobState>();
  const stateOf = (name: string): JobState => {
    const known = states.get(name);
    if (known !== undefined) return known;
    const state = { succeeded: 0, failed: 0, lastSuccessAtMs: undefined, lastTookMs: 0, hasLastFailed: false };
    states.set(name, state);
    return state;
  };
  return {
    track: async (name, work) => {
      const beganAtMs = performance.now();
      let isDone = false;
      try {
        const result = await work();
        isDone = true;
        return result;
      } finally {
        const state = stateOf(name);
        state.lastTookMs = performance.now() - beganAtMs;
        state.hasLastFailed = !isDone;
        if (isDone) {
          state.succeeded++;
          state.lastSuccessAtMs = clock.nowMs();
        } else state.failed++;
      }
    },
    states: () => states,
  };
}
