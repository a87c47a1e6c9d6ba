import { countedUpTo, type Life, type Run, type Version } from './life.ts';

/** How an object's time is counted. */
export interface Counting {
  readonly intervalMs: number;
  /**
   * `running`: each container by its own running time. `reserved`: the whole pod, for as long as it keeps its place, from its
   * first container's start or from when it was scheduled.
   */
  readonly basis: 'running' | 'reserved';
  readonly count: 'running' | 'scheduled';
}

/** What has been lived within one slice under one version of the object. */
export interface Part {
  readonly sliceMs: number;
  readonly startMs: number;
  readonly endMs: number;
  /** When the first of it was lived: the time of its event, in whatever billing period that lies. */
  readonly livedFromMs: number;
  readonly version: Version;
  /** Running time by container, init containers too. */
  readonly containersMs: ReadonlyMap<string, number>;
  /** In which a container or sidecar ran; of what is counted as a whole, all of it. */
  readonly livedMs: number;
  /** In which anything ran, init containers too. */
  readonly heldMs: number;
  readonly isEstimated: boolean;
}

export function sliceOf(ms: number, intervalMs: number): number {
  return Math.floor(ms / intervalMs) * intervalMs;
}

/**
 * The parts of the slices from one on, up to another, in order: slices are those of the clock, cut where the object has
 * changed. What was not lived makes none.
 */
export function* partsOf(life: Life, fromMs: number, toMs: number, nowMs: number, counting: Counting): Generator<Part> {
  const spans = spansOf(life, nowMs, counting);
  const startMs = spans.reduce((least, span) => Math.min(least, span.startMs), Number.POSITIVE_INFINITY);
  const endMs = spans.reduce((most, span) => Math.max(most, span.endMs), 0);
  const { intervalMs } = counting;
  const first = Math.max(fromMs, sliceOf(Math.min(startMs, toMs), intervalMs));
  for (let sliceMs = first; sliceMs < toMs && sliceMs < endMs; sliceMs += intervalMs) {
    yield* partsOfSlice(life, spans, sliceMs, intervalMs);
  }
}

interface Span {
  readonly container: string;
  readonly isInit: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly isEstimated: boolean;
}

function spansOf(life: Life, nowMs: number, { basis, count }: Counting): readonly Span[] {
  const least = life.fromMs ?? 0;
  const span = (container: string, isInit: boolean, startMs: number, endMs: number, isEstimated: boolean): Span[] =>
    endMs > Math.max(startMs, least)
      ? [{ container, isInit, startMs: Math.max(startMs, least), endMs, isEstimated }]
      : [];
  if (basis === 'running' && count === 'running') {
    return life.runs.flatMap((run: Run) =>
      span(run.container, run.kind === 'init', run.startMs, countedUpTo(run, life, nowMs), run.isEstimated === true),
    );
  }
  const { runs, endMs, scheduledMs, deletionMs } = life;
  const firstMs = runs.reduce((earliest, run) => Math.min(earliest, run.startMs), Number.POSITIVE_INFINITY);
  const startMs = count === 'scheduled' ? Math.min(scheduledMs ?? firstMs, firstMs) : firstMs;
  const upToMs = endMs ?? Math.min(nowMs, deletionMs ?? Number.POSITIVE_INFINITY);
  const last = runs.at(-1);
  return startMs === Number.POSITIVE_INFINITY ? [] : span('', false, startMs, upToMs, last?.isEstimated === true);
}

function* partsOfSlice(life: Life, spans: readonly Span[], sliceMs: number, intervalMs: number): Generator<Part> {
  const { versions } = life;
  for (const [index, version] of versions.entries()) {
    const startMs = Math.max(sliceMs, version.sinceMs ?? 0);
    const endMs = Math.min(sliceMs + intervalMs, versions[index + 1]?.sinceMs ?? Number.POSITIVE_INFINITY);
    if (startMs >= endMs) continue;
    const within = spans.flatMap((span) => {
      const cut = { ...span, startMs: Math.max(span.startMs, startMs), endMs: Math.min(span.endMs, endMs) };
      return cut.endMs > cut.startMs ? [cut] : [];
    });
    if (within.length === 0) continue;
    const containersMs = new Map<string, number>();
    for (const { container, startMs: from, endMs: to } of within) {
      containersMs.set(container, (containersMs.get(container) ?? 0) + to - from);
    }
    yield {
      sliceMs,
      startMs,
      endMs,
      livedFromMs: within.reduce((least, span) => Math.min(least, span.startMs), endMs),
      version,
      containersMs,
      livedMs: coveredMs(within.filter(({ isInit }) => !isInit)),
      heldMs: coveredMs(within),
      isEstimated: within.some((span) => span.isEstimated && span.endMs < endMs),
    };
  }
}

/** The time in which at least one of them lasts. */
function coveredMs(spans: readonly Span[]): number {
  let covered = 0;
  let upTo = 0;
  for (const { startMs, endMs } of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    covered += Math.max(0, endMs - Math.max(startMs, upTo));
    upTo = Math.max(upTo, endMs);
  }
  return covered;
}

/** Whether nothing of it will be counted from an instant on. */
export function isThrough(life: Life, sentMs: number): boolean {
  if (life.endMs === undefined) return false;
  return life.runs.reduce((most, { endMs = 0 }) => Math.max(most, endMs), life.endMs) <= sentMs;
}
