import type { Clock } from '../../delivery/clock.ts';

/** The time as the API server has it: instants of pods are of its clock and the nodes', and ours may be anywhere. */
export interface SourceTime {
  /** Told of each answer's `Date`. */
  heard(date: string | string[] | undefined): void;
  nowMs(): number;
  /** How far our clock is ahead of it; undefined = it has not said. */
  skewMs(): number | undefined;
}

/** A `Date` has whole seconds, and was written before it was read. */
const SECOND_MS = 1000;

export function createSourceTime(clock: Clock): SourceTime {
  let known: { readonly dateMs: number; readonly atMs: number } | undefined;
  const nowMs = () => (known === undefined ? clock.epochMs() : Math.floor(known.dateMs + clock.now() - known.atMs));
  return {
    heard(date) {
      const dateMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
      if (Number.isNaN(dateMs)) return;
      // Within its second nothing new was said, and the finer time that has been counted stays.
      const differenceMs = known === undefined ? SECOND_MS : Math.abs(nowMs() - dateMs);
      if (known === undefined || differenceMs >= SECOND_MS || nowMs() < dateMs) known = { dateMs, atMs: clock.now() };
    },
    nowMs,
    skewMs: () => (known === undefined ? undefined : clock.epochMs() - nowMs()),
  };
}
