import { instantAt } from './instants.ts';
import { at, isObject, type JsonObject, listAt, picked, textAt } from './json.ts';
import type { Look, Run } from './life.ts';

/** Written by kubectl for itself, and larger than all the rest. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** More than this and only our own annotations stay: an event has to have room for what it is about. */
const MAX_METADATA_LENGTH = 32 * 1024;
const OWN_ANNOTATION = /^(?:data\.)?openmeter\.io\//;
const CONTAINER_KEYS = ['name', 'image', 'resources', 'restartPolicy'];
const SPEC_KEYS = ['nodeName', 'nodeSelector', 'runtimeClassName', 'priorityClassName', 'serviceAccountName'];

/**
 * What is metered of a pod, as core/v1 has it. What it says of itself (environment, volumes, probes) is not kept: it is large,
 * changes nothing, and may be secret. `metadata.managedFields` is most of a pod, and is dropped here at the latest.
 */
export function lookAtPod(pod: JsonObject, createdMs: number): Look {
  const phase = textAt(pod, 'status', 'phase');
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  return {
    createdMs,
    scheduledMs: conditionMs(pod, 'PodScheduled'),
    deletionMs: instantAt(pod, 'metadata', 'deletionTimestamp'),
    body: bodyOf(pod),
    runs: [
      ...runsOf(listAt(pod, 'status', 'initContainerStatuses'), (name) => (isSidecar(pod, name) ? 'sidecar' : 'init')),
      ...runsOf(listAt(pod, 'status', 'containerStatuses'), () => 'container'),
    ],
    isOver,
    overMs: isOver ? conditionMs(pod, 'DisruptionTarget') : undefined,
    restarts: listAt(pod, 'status', 'containerStatuses').reduce<number>((sum, status) => {
      const restarts = at(status, 'restartCount');
      return typeof restarts === 'number' ? sum + restarts : sum;
    }, 0),
  };
}

function isSidecar(pod: JsonObject, name: string): boolean {
  return listAt(pod, 'spec', 'initContainers').some(
    (container) => at(container, 'name') === name && at(container, 'restartPolicy') === 'Always',
  );
}

/** Since when a condition holds. */
function conditionMs(pod: JsonObject, type: string): number | undefined {
  const condition = listAt(pod, 'status', 'conditions').find(
    (one) => at(one, 'type') === type && at(one, 'status') === 'True',
  );
  return instantAt(condition, 'lastTransitionTime');
}

/** The state of each container and the one before it, which is all that the API keeps. */
function runsOf(statuses: readonly unknown[], kindOf: (name: string) => Run['kind']): Run[] {
  return statuses.flatMap((status) => {
    const container = textAt(status, 'name');
    if (container === undefined) return [];
    const kind = kindOf(container);
    return [at(status, 'lastState'), at(status, 'state')].flatMap((state): Run[] => {
      const runningMs = instantAt(state, 'running', 'startedAt');
      if (runningMs !== undefined) return [{ container, kind, startMs: runningMs }];
      const startMs = instantAt(state, 'terminated', 'startedAt');
      const endMs = instantAt(state, 'terminated', 'finishedAt');
      return startMs === undefined || endMs === undefined ? [] : [{ container, kind, startMs, endMs }];
    });
  });
}

function bodyOf(pod: JsonObject): Record<string, unknown> {
  const initContainers = listAt(pod, 'spec', 'initContainers');
  const given = allocated(pod);
  return {
    metadata: metadataOf(pod),
    spec: {
      ...picked(at(pod, 'spec'), [...SPEC_KEYS, 'overhead', 'resources', 'resourceClaims']),
      containers: listAt(pod, 'spec', 'containers').map((one) => picked(one, CONTAINER_KEYS)),
      ...(initContainers.length > 0 && { initContainers: initContainers.map((one) => picked(one, CONTAINER_KEYS)) }),
    },
    ...(given.length > 0 && { status: { containerStatuses: given } }),
  };
}

export function metadataOf(object: JsonObject): Record<string, unknown> {
  const plain = picked(at(object, 'metadata'), ['name', 'namespace', 'uid', 'creationTimestamp', 'ownerReferences']);
  const labels = at(object, 'metadata', 'labels');
  const all = at(object, 'metadata', 'annotations');
  const annotations = isObject(all) ? without(all, (name) => name === LAST_APPLIED) : {};
  const full = { ...plain, ...(isObject(labels) && { labels }), annotations };
  if (JSON.stringify(full).length <= MAX_METADATA_LENGTH) return full;
  return { ...plain, annotations: without(annotations, (name) => !OWN_ANNOTATION.test(name)) };
}

function without(values: JsonObject, isUnwanted: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !isUnwanted(name)));
}

/**
 * Where a node has given a container something else than its specification asks for: while a resize waits, what counts is
 * what it has.
 */
function allocated(pod: JsonObject): Record<string, unknown>[] {
  const specified = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')];
  const statuses = [...listAt(pod, 'status', 'containerStatuses'), ...listAt(pod, 'status', 'initContainerStatuses')];
  return statuses.flatMap((status) => {
    const name = textAt(status, 'name');
    const asked = specified.find((one) => at(one, 'name') === name);
    const requests = at(status, 'allocatedResources') ?? at(status, 'resources', 'requests');
    const limits = at(status, 'resources', 'limits');
    const other = {
      ...(isOther(requests, at(asked, 'resources', 'requests')) && { requests }),
      ...(isOther(limits, at(asked, 'resources', 'limits')) && { limits }),
    };
    return name === undefined || Object.keys(other).length === 0 ? [] : [{ name, resources: other }];
  });
}

/** Whether quantities differ from those of the specification; names that only one of both has do not make them other. */
function isOther(given: unknown, asked: unknown): boolean {
  if (!isObject(given)) return false;
  return Object.entries(given).some(([name, quantity]) => {
    const wanted = at(asked, name);
    return wanted !== undefined && wanted !== quantity;
  });
}
