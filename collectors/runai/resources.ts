/** A workload or a pod as a list has it. */
export interface Resource {
  readonly id: string;
  /** The workload's: its own, or the one a pod belongs to. */
  readonly workloadId: string;
  readonly clusterId: string;
  readonly createdAtMs: number;
  readonly completedAtMs: number | undefined;
  readonly deletedAtMs: number | undefined;
  readonly phase: string;
  /** When that phase began; undefined = it is not told. */
  readonly phaseAtMs: number | undefined;
  /** Of a pod: when its first container started. */
  readonly startedAtMs: number | undefined;
  /** All that the list says, for the mapping. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What has completed may be started again, and is not over then. */
const ALIVE = new Set(['Creating', 'Initializing', 'Resuming', 'Pending', 'Running', 'Updating', 'Degraded']);
/** They become parts of paths, and of keys. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** @returns undefined when it is no workload */
export function workloadOf(item: unknown): Resource | undefined {
  if (!isObject(item)) return undefined;
  const { id, phase } = item;
  const standing = standingOf(item);
  if (!isId(id) || typeof phase !== 'string' || standing === undefined) return undefined;
  const phaseAtMs = instantOf(item['phaseUpdatedAt']);
  const { completedAtMs } = standing;
  const isResumed = ALIVE.has(phase) && phaseAtMs !== undefined && phaseAtMs > (completedAtMs ?? phaseAtMs);
  const own = isResumed ? { ...standing, completedAtMs: undefined } : standing;
  return { ...own, id, workloadId: id, phase, phaseAtMs, startedAtMs: undefined };
}

/** @returns undefined when it is no pod */
export function podOf(item: unknown): Resource | undefined {
  if (!isObject(item)) return undefined;
  const { id, workloadId, k8sPhase: phase, containers } = item;
  const standing = standingOf(item);
  if (!isId(id) || !isId(workloadId) || typeof phase !== 'string' || standing === undefined) return undefined;
  const starts = (Array.isArray(containers) ? containers : []).flatMap((container: unknown) => {
    const startedAtMs = isObject(container) ? instantOf(container['startedAt']) : undefined;
    return startedAtMs === undefined ? [] : [startedAtMs];
  });
  const startedAtMs = starts.length === 0 ? undefined : Math.min(...starts);
  return { ...standing, id, workloadId, phase, phaseAtMs: instantOf(item['k8sPhaseUpdatedAt']), startedAtMs };
}

function standingOf(item: Readonly<Record<string, unknown>>) {
  const { clusterId } = item;
  const createdAtMs = instantOf(item['createdAt']);
  if (createdAtMs === undefined || !isId(clusterId)) return undefined;
  const completedAtMs = instantOf(item['completedAt']);
  const deletedAtMs = instantOf(item['deletedAt']);
  return { clusterId, createdAtMs, completedAtMs, deletedAtMs, fields: item };
}

/** When it ended, if it has: an instant behind which it cannot run. */
export function endOf({ completedAtMs, deletedAtMs }: Resource): number | undefined {
  if (completedAtMs === undefined || deletedAtMs === undefined) return completedAtMs ?? deletedAtMs;
  return Math.min(completedAtMs, deletedAtMs);
}

/** Milliseconds since 1970 of RFC 3339; undefined when it is none, or so far off that it is a mistake. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:\d\d)$/.test(value)) return undefined;
  const ms = Date.parse(value);
  // Run:ai writes no instant that it does not know, but Go's zero time is in the year 1.
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
