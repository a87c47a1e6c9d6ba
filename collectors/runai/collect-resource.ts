import type { Schedule } from '../core/schedule.ts';
import { type SourceContext, type SourceRecord, Stopped } from '../core/source.ts';
import { quotientOf } from '../mapping/decimals.ts';
import type { RunaiApi } from './api.ts';
import type { Kind } from './kinds.ts';
import { type Measured, measure } from './measurements.ts';
import type { Progress, ProgressSettings } from './progress.ts';
import { endOf, type Resource } from './resources.ts';
import type { Lived } from './runs.ts';
import { type Block, blocksOf, lengthOf, type Slice } from './slices.ts';
import type { ResourceState, States } from './states.ts';

export interface CollectSettings extends ProgressSettings {
  readonly resourceType: 'workload' | 'pod';
  readonly kind: Kind;
  readonly schedule: Schedule;
  readonly metrics: readonly string[];
  /** Phases in which a workload is billed. */
  readonly phases: readonly string[];
  /** A slice of which metrics are missing is taken as it is when it is so old. */
  readonly incompleteAfterMs: number;
  readonly pageSize: number;
  readonly concurrency: number;
}

/** Whether a resource has come to where it could. */
export type Outcome = 'taken' | 'open';

/** What fails for a resource alone, and for so long, will not be known. */
const MAX_OPEN_MS = 7 * 86_400_000;
/** What fails is asked for less and less often, so that it keeps nobody waiting. */
const FIRST_BACKOFF_MS = 5000;
const MAX_BACKOFF_MS = 600_000;
/** Between a workload's creation and the first phase that is told. */
const FIRST_PHASE_MS = 5000;
const ALLOCATION = 'GPU_ALLOCATION';

/** What is known of a resource while it is worked on. */
interface Work {
  readonly resource: Resource;
  readonly before: ResourceState | undefined;
  readonly closedMs: number;
  readonly lived: Lived;
}

/** Takes what a resource lived up to a tick, a block of slices at a time. Rejects only when stopped. */
export function createAdvance(api: RunaiApi, settings: CollectSettings, states: States, context: SourceContext) {
  const { kind, phases, schedule } = settings;
  const { signal, clock, name, rareLog } = context;
  const waiting = new Map<string, { readonly times: number; readonly until: number }>();

  async function remember(id: string, state: ResourceState, records: readonly SourceRecord[]): Promise<void> {
    await context.take({ records, cursor: [states.change(id, state)] });
    states.taken(id, state);
  }

  async function takeBlock(work: Work, block: Block): Promise<Outcome> {
    const { resource, before, closedMs } = work;
    const { slices, upToMs } = block;
    const measured = await metricsOf(resource, slices, closedMs);
    const records: SourceRecord[] = [];
    for (const [index, slice] of slices.entries()) {
      const own = measured[index] ?? { values: {}, isWhole: false };
      if (!own.isWhole && closedMs - slice.endMs < settings.incompleteAfterMs) {
        await remember(resource.id, stateAfter(settings, work, slice.startMs, true), records);
        return 'open';
      }
      if (!own.isWhole) noteIncomplete(context, 'metrics', resource);
      records.push(recordOf(resource, before, slice, own, settings));
    }
    await remember(resource.id, stateAfter(settings, work, upToMs, false), records);
    return 'taken';
  }

  async function metricsOf(
    resource: Resource,
    slices: readonly Slice[],
    closedMs: number,
  ): Promise<readonly Measured[]> {
    if (slices.length === 0) return [];
    try {
      return await measure(api, kind.metricsPath(resource), settings.metrics, slices, signal);
    } catch (error) {
      const isGivenUp = closedMs - (slices[0]?.endMs ?? closedMs) > MAX_OPEN_MS;
      if (error instanceof Stopped || !isGivenUp) throw error;
      return [];
    }
  }

  async function advanceFrom(resource: Resource, before: ResourceState | undefined, span: Span): Promise<Outcome> {
    const lived = await kind.lived(resource, span, before, { api, phases, signal });
    const { unknownBeforeMs } = lived;
    if (unknownBeforeMs !== undefined && unknownBeforeMs > resource.createdAtMs + FIRST_PHASE_MS) {
      noteIncomplete(context, 'history', resource);
    }
    const work = { resource, before, closedMs: span.endMs, lived };
    // What does not run, and is known not to, is not written down again and again.
    const isIdle = lived.runs.length === 0 && !lived.runsOn;
    if (isIdle && before !== undefined && !before.isFollowed && endOf(resource) === before.endedMs) return 'taken';
    for (const block of blocksOf(lived.runs, span, schedule)) {
      if (signal.aborted) throw new Stopped();
      if ((await takeBlock(work, block)) === 'open') return 'open';
    }
    return 'taken';
  }

  async function failed(resource: Resource, before: ResourceState | undefined, span: Span, cause: unknown) {
    const times = (waiting.get(resource.id)?.times ?? 0) + 1;
    const delayMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (times - 1));
    waiting.set(resource.id, { times, until: clock.now() + delayMs });
    const reason = cause instanceof Error ? cause.message : String(cause);
    const fields = { collector: name, id: resource.id, cause: reason };
    rareLog.note({
      key: `${name} open`,
      level: 'warn',
      msg: 'something cannot be asked for, and is tried again',
      fields,
    });
    if (states.get(resource.id)?.isFollowed === true) return;
    const unknown = { runsOn: false, phaseAtMs: undefined, endedMs: undefined, allocated: undefined };
    await remember(resource.id, { ...unknown, ...before, upToMs: span.startMs, isFollowed: true }, []);
  }

  return async (resource: Resource, closedMs: number, progress: Progress): Promise<Outcome> => {
    const { id, createdAtMs } = resource;
    const before = states.get(id);
    const endedMs = endOf(resource);
    if (before === undefined && endedMs !== undefined && endedMs < progress.forgottenMs()) return 'taken';
    const createdMs = schedule.atOrBefore(createdAtMs) ?? createdAtMs;
    const span = { startMs: before?.upToMs ?? Math.max(progress.beginMs(), createdMs), endMs: closedMs };
    if (span.startMs >= closedMs) return 'taken';
    if (clock.now() < (waiting.get(id)?.until ?? Number.NEGATIVE_INFINITY)) return 'open';
    noteLateWord(context, resource, before);
    try {
      const outcome = await advanceFrom(resource, before, span);
      waiting.delete(id);
      return outcome;
    } catch (error) {
      if (error instanceof Stopped || signal.aborted) throw new Stopped();
      await failed(resource, before, span, error);
      return 'open';
    }
  };
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** @param isFollowed whether there is more to ask for, up to the tick too */
function stateAfter(
  { resourceType }: CollectSettings,
  { resource, closedMs, lived, before }: Work,
  upToMs: number,
  isFollowed: boolean,
): ResourceState {
  const endedMs = endOf(resource);
  const isOver = endedMs !== undefined && endedMs <= closedMs;
  const isAtEnd = upToMs >= closedMs;
  return {
    upToMs,
    runsOn: isAtEnd ? lived.runsOn : lived.runs.some((run) => run.startMs <= upToMs && run.endMs > upToMs),
    isFollowed: isFollowed || !isAtEnd || lived.runsOn,
    phaseAtMs: isAtEnd ? resource.phaseAtMs : before?.phaseAtMs,
    endedMs: isOver ? endedMs : undefined,
    allocated: resourceType === 'pod' ? allocatedOf(resource, before) : undefined,
  };
}

function noteIncomplete({ name, rareLog, report }: SourceContext, reason: string, { id }: Resource): void {
  const msg = 'something will not be known';
  rareLog.note({ key: `${name} ${reason}`, level: 'warn', msg, fields: { collector: name, reason, id } });
  report({ incomplete: reason });
}

/** Its end was told only after slices behind it had been taken: they are too much, and stay. */
function noteLateWord(
  { name, rareLog, report }: SourceContext,
  resource: Resource,
  before: ResourceState | undefined,
): void {
  const endedMs = endOf(resource);
  if (before?.runsOn !== true || endedMs === undefined || endedMs >= before.upToMs) return;
  const seconds = (before.upToMs - endedMs) / 1000;
  const fields = { collector: name, id: resource.id, seconds };
  rareLog.note({ key: `${name} late`, level: 'error', msg: 'an end was told late; too much was taken', fields });
  report({ incomplete: 'told_late' });
}

function recordOf(
  resource: Resource,
  before: ResourceState | undefined,
  { startMs, endMs, parts, phase }: Slice,
  { values, isWhole }: Measured,
  { resourceType, offsetMs }: CollectSettings,
): SourceRecord {
  const { fields, clusterId, id } = resource;
  const [start, end] = [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
  const interval = quotientOf(String(endMs - startMs), '1000');
  const gpu = values[ALLOCATION];
  const allocated = resourceType === 'pod' ? allocatedOf(resource, before) : gpu === undefined ? undefined : { gpu };
  // What the list says of these is of the moment at which it was read.
  const { allocatedResources: _allocated, [resourceType === 'pod' ? 'k8sPhase' : 'phase']: _phase, ...rest } = fields;
  return {
    message: {
      ...rest,
      resourceType,
      [resourceType === 'pod' ? 'k8sPhase' : 'phase']: phase,
      ...(allocated !== undefined && { allocatedResources: allocated }),
      metrics: { timestamp: end, values },
      ...(!isWhole && { incomplete: true }),
    },
    meta: {
      resource_type: resourceType,
      duration_seconds: quotientOf(String(lengthOf(parts)), '1000'),
      interval_start: start,
      interval_end: end,
      // The last slice of a month is of that month.
      metrics_time: start,
      scrape_interval: `${interval}s`,
      metrics_offset: `${quotientOf(String(offsetMs), '1000')}s`,
    },
    at: start,
    parts: [clusterId, id, start],
  };
}

/** Of a pod that is over the list says that it has nothing: what it had when it ran counts. */
function allocatedOf({ fields, phase, ...resource }: Resource, before: ResourceState | undefined): unknown {
  const isRunning = phase === 'Running' && endOf({ ...resource, fields, phase }) === undefined;
  return isRunning ? fields['allocatedResources'] : before?.allocated;
}
