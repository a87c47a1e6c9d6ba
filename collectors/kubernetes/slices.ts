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
  const { intervalMs } = counting;
  const lived = rangeOf(spans, fromMs, toMs, intervalMs);
  for (let sliceMs = lived.fromMs; sliceMs < lived.toMs; sliceMs += intervalMs) {
    yield* partsOfSlice(life, spans, sliceMs, intervalMs);
  }
}

/** From the first slice on, up to the end of the last, that {@link partsOf} looks at. */
export function livedWithin(life: Life, fromMs: number, toMs: number, nowMs: number, counting: Counting): Range {
  return rangeOf(spansOf(life, nowMs, counting), fromMs, toMs, counting.intervalMs);
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

function rangeOf(spans: readonly Span[], fromMs: number, toMs: number, intervalMs: number): Range {
  const startMs = spans.reduce((least, span) => Math.min(least, span.startMs), Number.POSITIVE_INFINITY);
  const endMs = spans.reduce((most, span) => Math.max(most, span.endMs), 0);
  return { fromMs: Math.max(fromMs, sliceOf(Math.min(startMs, toMs), intervalMs)), toMs: Math.min(toMs, endMs) };
}

interface Span {
  readonly container: string;
  readonly isInit: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly isEstimated: boolean;
}

/** By their starts: what is cut of them for a slice is in order as well. */
function spansOf(life: Life, nowMs: number, counting: Counting): readonly Span[] {
  return unorderedSpans(life, nowMs, counting).sort((a, b) => a.startMs - b.startMs);
}

function unorderedSpans(life: Life, nowMs: number, { basis, count }: Counting): Span[] {
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
  for (let index = 0; index < versions.length; index++) {
    const version = versions[index] as Version;
    const startMs = Math.max(sliceMs, version.sinceMs ?? 0);
    const endMs = Math.min(sliceMs + intervalMs, versions[index + 1]?.sinceMs ?? Number.POSITIVE_INFINITY);
    const part = startMs < endMs ? partWithin(spans, version, sliceMs, startMs, endMs) : undefined;
    if (part !== undefined) yield part;
  }
}

/** In one walk and without copies: there are as many of these as there are events. @returns undefined when nothing was lived */
function partWithin(
  spans: readonly Span[],
  version: Version,
  sliceMs: number,
  startMs: number,
  endMs: number,
): Part | undefined {
  const containersMs = new Map<string, number>();
  const [lived, held] = [createCover(), createCover()];
  let livedFromMs = endMs;
  let isEstimated = false;
  for (const span of spans) {
    const from = Math.max(span.startMs, startMs);
    const to = Math.min(span.endMs, endMs);
    if (to <= from) continue;
    containersMs.set(span.container, (containersMs.get(span.container) ?? 0) + to - from);
    livedFromMs = Math.min(livedFromMs, from);
    held.add(from, to);
    if (!span.isInit) lived.add(from, to);
    isEstimated ||= span.isEstimated && to < endMs;
  }
  if (containersMs.size === 0) return undefined;
  const [livedMs, heldMs] = [lived.coveredMs, held.coveredMs];
  return { sliceMs, startMs, endMs, livedFromMs, version, containersMs, livedMs, heldMs, isEstimated };
}

/** The time in which at least one of some stretches lasts, which come by their starts. */
function createCover() {
  const cover = {
    coveredMs: 0,
    upToMs: 0,
    add(fromMs: number, toMs: number): void {
      cover.coveredMs += Math.max(0, toMs - Math.max(fromMs, cover.upToMs));
      cover.upToMs = Math.max(cover.upToMs, toMs);
    },
  };
  return cover;
}

/** Whether nothing of it will be counted from an instant on. */
export function isThrough(life: Life, sentMs: number): boolean {
  if (life.endMs === undefined) return false;
  return life.runs.reduce((most, { endMs = 0 }) => Math.max(most, endMs), life.endMs) <= sentMs;
}
