import { boundaryIndexAt, boundaryMs } from '../../../platform/period/index.ts';
import { activityOf, type Grant } from './grant.ts';

/** A stretch in which nothing happens but usage, or the instant of a reset. */
export interface Segment {
  readonly kind: 'usage' | 'rollover';
  readonly fromMs: number;
  readonly toMs: number;
  /** When the usage period that it belongs to began. */
  readonly periodFromMs: number;
}

/** What the stretches depend on. Usage is not among it: which usage to ask for is known before any is. */
export interface SegmentInput {
  readonly grants: readonly Grant[];
  /** When usage was last at zero, at or before `fromMs`. */
  readonly periodFromMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
  /** false: what happens at `untilMs` itself has not happened yet. Default true. */
  readonly includesEnd?: boolean;
  /** Ascending; those outside of (fromMs, untilMs] are left out. */
  readonly resetsMs: readonly number[];
  /** Where to cut as well, so that the balance at those instants can be read. */
  readonly cutsMs?: readonly number[];
}

/**
 * The stretches from `fromMs` to `untilMs`. The last one has no length when a reset or a recurrence falls on
 * `untilMs`: it shows the balance behind it.
 */
export function planSegments(input: SegmentInput): Segment[] {
  const { grants, fromMs, untilMs, includesEnd = true, resetsMs, cutsMs = [] } = input;
  const segments: Segment[] = [];
  let pieceFromMs = fromMs;
  let periodFromMs = input.periodFromMs;
  const due = resetsMs.filter((atMs) => atMs > fromMs && (atMs < untilMs || (includesEnd && atMs === untilMs)));
  for (const resetMs of due) {
    cut({ fromMs: pieceFromMs, toMs: resetMs, periodFromMs, isLast: false });
    segments.push({ kind: 'rollover', fromMs: resetMs, toMs: resetMs, periodFromMs: resetMs });
    pieceFromMs = resetMs;
    periodFromMs = resetMs;
  }
  cut({ fromMs: pieceFromMs, toMs: untilMs, periodFromMs, isLast: includesEnd });
  return segments;

  function cut(piece: { fromMs: number; toMs: number; periodFromMs: number; isLast: boolean }): void {
    let segmentFromMs = piece.fromMs;
    for (const atMs of [...changesWithin(grants, cutsMs, piece), piece.toMs]) {
      segments.push({ kind: 'usage', fromMs: segmentFromMs, toMs: atMs, periodFromMs: piece.periodFromMs });
      segmentFromMs = atMs;
    }
  }
}

/** Ascending, each once. */
function changesWithin(
  grants: readonly Grant[],
  cutsMs: readonly number[],
  { fromMs, toMs, isLast }: { fromMs: number; toMs: number; isLast: boolean },
): number[] {
  const changes = new Set(cutsMs.filter((atMs) => atMs > fromMs && atMs < toMs));
  for (const grant of grants) {
    const active = activityOf(grant);
    for (const atMs of [active.fromMs, active.toMs]) {
      if (atMs !== undefined && atMs > fromMs && atMs < toMs) changes.add(atMs);
    }
    for (const atMs of recurrencesOf(grant, fromMs, toMs)) {
      if (atMs < toMs || isLast) changes.add(atMs);
    }
  }
  return [...changes].toSorted((a, b) => a - b);
}

/** When the grant is filled up within (fromMs, toMs], while it is active. */
function* recurrencesOf(grant: Grant, fromMs: number, toMs: number): Generator<number> {
  const { recurrence } = grant;
  if (recurrence === undefined) return;
  const active = activityOf(grant);
  const afterMs = Math.max(fromMs, active.fromMs);
  const lastMs = Math.min(toMs, active.toMs ?? toMs);
  for (let n = boundaryIndexAt(recurrence, afterMs) + 1; ; n++) {
    const atMs = boundaryMs(recurrence, n);
    if (atMs > lastMs || atMs === active.toMs) return;
    yield atMs;
  }
}
