import type { RunaiApi } from './api.ts';
import { historyOf } from './history.ts';
import { endOf, podOf, type Resource, workloadOf } from './resources.ts';
import { type Lived, livedBetween, type Transition } from './runs.ts';
import type { Span } from './slices.ts';
import type { ResourceState } from './states.ts';

/** What tells workloads from pods. */
export interface Kind {
  readonly path: string;
  readonly field: string;
  /** All that it can be asked for. */
  readonly metrics: readonly string[];
  /** Lists that have all that runs. */
  active(phases: readonly string[]): Readonly<Record<string, string>>;
  /** Lists that have all whose life changed since an instant. */
  changed(since: string): readonly Readonly<Record<string, string>>[];
  read(item: unknown): Resource | undefined;
  metricsPath(resource: Resource): string;
  /** @throws ApiFailure */
  lived(resource: Resource, span: Span, state: ResourceState | undefined, asking: Asking): Promise<Lived>;
}

export interface Asking {
  readonly api: RunaiApi;
  readonly phases: readonly string[];
  readonly signal: AbortSignal;
}

const PHASES = [
  'Creating',
  'Initializing',
  'Resuming',
  'Pending',
  'Deleting',
  'Running',
  'Updating',
  'Stopped',
  'Stopping',
  'Degraded',
  'Failed',
  'Completed',
  'Terminating',
  'Unknown',
] as const;
/** Of a pod, Kubernetes' own. */
const POD_RUNS = 'Running';
const GPU_PARTS = ['GRAPHICS_ENGINE', 'SM', 'TENSOR', 'FP16_ENGINE', 'FP32_ENGINE', 'FP64_ENGINE'];
const GPU_LINKS = ['NVLINK_TRANSMITTED', 'NVLINK_RECEIVED', 'PCIE_TRANSMITTED', 'PCIE_RECEIVED'];
const USAGE = ['GPU_UTILIZATION', 'GPU_MEMORY_USAGE_BYTES', 'CPU_USAGE_CORES', 'CPU_MEMORY_USAGE_BYTES'];

const workload: Kind = {
  path: '/api/v1/workloads',
  field: 'workloads',
  metrics: [
    ...USAGE,
    'GPU_ALLOCATION',
    'GPU_MEMORY_REQUEST_BYTES',
    'CPU_REQUEST_CORES',
    'CPU_LIMIT_CORES',
    'CPU_MEMORY_REQUEST_BYTES',
    'CPU_MEMORY_LIMIT_BYTES',
    'POD_COUNT',
    'RUNNING_POD_COUNT',
  ],
  active: (phases) => ({
    filterBy: PHASES.filter((phase) => !phases.includes(phase))
      .map((phase) => `phase!=${phase}`)
      .join(','),
  }),
  changed: (since) => [
    { filterBy: `phaseUpdatedAt>=${since}` },
    { filterBy: `completedAt>=${since}` },
    { deleted: 'true', filterBy: `deletedAt>=${since}` },
  ],
  read: workloadOf,
  metricsPath: ({ id }) => `/api/v1/workloads/${id}/metrics`,
  async lived(resource, span, state, { api, phases, signal }) {
    const isRunning = (phase: string) => phases.includes(phase);
    const { phase, phaseAtMs } = resource;
    const told: Transition[] = phaseAtMs === undefined ? [] : [{ atMs: phaseAtMs, phase }];
    const endedMs = endOf(resource);
    // No phase has begun since it was last looked at: a history of months need not be read again.
    const isUnchanged = state !== undefined && phaseAtMs !== undefined && phaseAtMs <= state.upToMs;
    if (isUnchanged && state.phaseAtMs === phaseAtMs) return livedBetween(span, told, endedMs, isRunning);
    const history = await historyOf(api, resource.id, signal);
    const latestMs = history.reduce((most, { atMs }) => Math.max(most, atMs), Number.NEGATIVE_INFINITY);
    const later = told.filter(({ atMs }) => atMs > latestMs);
    const before = knownBefore(history, span, state);
    return livedBetween(span, [...before, ...history, ...later], endedMs, isRunning);

    /** A history is kept for a while only; what was seen of the time before is known still. */
    function knownBefore(known: readonly Transition[], { startMs }: Span, seen: ResourceState | undefined) {
      if (seen === undefined || known.some(({ atMs }) => atMs <= startMs)) return [];
      return [{ atMs: startMs, phase: seen.runsOn ? (phases[0] ?? '') : '' }];
    }
  },
};

const pod: Kind = {
  path: '/api/v1/workloads/pods',
  field: 'pods',
  metrics: [
    ...USAGE,
    'GPU_UTILIZATION_PER_GPU',
    'GPU_MEMORY_USAGE_BYTES_PER_GPU',
    ...GPU_PARTS.map((part) => `GPU_${part}_ACTIVITY_PER_GPU`),
    'GPU_SM_OCCUPANCY_PER_GPU',
    'GPU_MEMORY_BANDWIDTH_UTILIZATION_PER_GPU',
    ...GPU_LINKS.map((link) => `GPU_${link}_BANDWIDTH_PER_GPU`),
    'GPU_SWAP_MEMORY_BYTES_PER_GPU',
  ],
  active: () => ({ completed: 'false' }),
  changed: (since) => [
    { completed: 'true', filterBy: `completedAt>=${since}` },
    { completed: 'all', filterBy: `deletedAt>=${since}` },
  ],
  read: podOf,
  metricsPath: ({ id, workloadId }) => `/api/v1/workloads/${workloadId}/pods/${id}/metrics`,
  lived(resource, span, state) {
    const { phase, phaseAtMs, startedAtMs, createdAtMs } = resource;
    const endedMs = endOf(resource);
    // Its containers may have been started again since: a pod that ran goes on.
    const since = state?.runsOn === true ? span.startMs : (startedAtMs ?? (phase === POD_RUNS ? phaseAtMs : undefined));
    const isUnknown = since === undefined && endedMs !== undefined;
    const begins = isUnknown ? [] : [{ atMs: Math.min(createdAtMs, span.startMs), phase: '' }];
    const transitions = since === undefined ? begins : [...begins, { atMs: since, phase: POD_RUNS }];
    return Promise.resolve(livedBetween(span, transitions, endedMs, (one) => one === POD_RUNS));
  },
};

export const KINDS = { workload, pod } as const;
export { PHASES };
