/** A phase begins. */
export interface Transition {
  readonly atMs: number;
  readonly phase: string;
}

/** A half-open span of time in which a resource ran, in one phase. */
export interface Run {
  readonly startMs: number;
  readonly endMs: number;
  readonly phase: string;
}

export interface Lived {
  /** In order, within the span that was asked for. */
  readonly runs: readonly Run[];
  /** Whether it ran at the end of the span. */
  readonly runsOn: boolean;
  /** The phase before it is not known; undefined = all of the span is. */
  readonly unknownBeforeMs: number | undefined;
}

/**
 * What is known of a span of a resource's life, by the instants at which its phases began.
 * @param endedMs behind which it cannot have run, whatever its phases say
 */
export function livedBetween(
  span: { readonly startMs: number; readonly endMs: number },
  transitions: readonly Transition[],
  endedMs: number | undefined,
  isRunning: (phase: string) => boolean,
): Lived {
  const ordered = transitions.toSorted((a, b) => a.atMs - b.atMs);
  const runs: Run[] = [];
  let runsOn = false;
  for (const [index, { atMs, phase }] of ordered.entries()) {
    const nextMs = ordered[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    if (!isRunning(phase)) continue;
    const overMs = Math.min(nextMs, endedMs ?? Number.POSITIVE_INFINITY);
    const startMs = Math.max(span.startMs, atMs);
    const endMs = Math.min(span.endMs, overMs);
    if (startMs >= endMs) continue;
    runsOn = overMs > span.endMs;
    const last = runs.at(-1);
    if (last?.endMs === startMs && last.phase === phase) runs[runs.length - 1] = { ...last, endMs };
    else runs.push({ startMs, endMs, phase });
  }
  const firstMs = ordered[0]?.atMs ?? span.endMs;
  return { runs, runsOn, unknownBeforeMs: firstMs > span.startMs ? firstMs : undefined };
}
