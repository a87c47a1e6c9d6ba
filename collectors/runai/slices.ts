import type { Schedule } from '../core/schedule.ts';
import type { Run } from './runs.ts';

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** A slice of time in which a resource ran, and the parts of it in which it did. */
export interface Slice extends Span {
  readonly parts: readonly Span[];
  /** The last phase in which it ran. */
  readonly phase: string;
}

/** What is worked on, and committed, at once. */
export interface Block {
  readonly slices: readonly Slice[];
  /** All before it is in these slices, or in those before. */
  readonly upToMs: number;
}

/** As many as one request for metrics tells of, when slices are short. */
const MAX_SLICES = 120;

/**
 * Cuts runs at the ticks of the schedule. Slices in which nothing ran are passed over, however many they are.
 * @param runs in order, within the span
 * @param span from where the last block ended to a tick
 */
export function* blocksOf(runs: readonly Run[], span: Span, schedule: Schedule): Generator<Block> {
  let slices: Slice[] = [];
  let atMs = span.startMs;
  let next = 0;
  for (let run = runs[next]; run !== undefined && atMs < span.endMs; run = runs[next]) {
    // The start of a slice is a tick, or where the schedule was changed.
    if (run.startMs > atMs) atMs = Math.max(atMs, schedule.atOrBefore(run.startMs) ?? atMs);
    const endMs = Math.min(span.endMs, schedule.after(atMs) ?? span.endMs);
    const parts: Span[] = [];
    let { phase } = run;
    for (let index = next; index < runs.length; index++) {
      const { startMs, endMs: runEndMs, phase: own } = runs[index] as Run;
      if (startMs >= endMs) break;
      if (runEndMs <= endMs) next = index + 1;
      if (runEndMs <= atMs) continue;
      add(parts, { startMs: Math.max(atMs, startMs), endMs: Math.min(endMs, runEndMs) });
      phase = own;
    }
    slices.push({ startMs: atMs, endMs, parts, phase });
    atMs = endMs;
    if (slices.length === MAX_SLICES) {
      yield { slices, upToMs: atMs };
      slices = [];
    }
  }
  yield { slices, upToMs: span.endMs };
}

/** From one running phase to another it runs on. */
function add(parts: Span[], part: Span): void {
  const last = parts.at(-1);
  if (last?.endMs === part.startMs) parts[parts.length - 1] = { startMs: last.startMs, endMs: part.endMs };
  else parts.push(part);
}

export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}
