import { instantText, secondsText } from './instants.ts';
import { at, isObject, textAt } from './json.ts';
import type { Body, Version } from './life.ts';
import {
  type Asked,
  askedBy,
  overTime,
  plus,
  type Quantities,
  quantitiesOf,
  type Side,
  textOf,
  textsOf,
} from './quantities.ts';
import type { Counting, Part } from './slices.ts';

/** What is metered of a part, ready for an event: `usage` beside the object in the message. */
export interface Usage {
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What one part gives, for each kind of object. @throws TypeError for quantities that are none */
export type UsageOf = (part: Part) => Omit<Usage, 'subject' | 'time'> & Readonly<Record<string, unknown>>;

const SUBJECT = 'openmeter.io/subject';
const DATA_PREFIX = 'data.openmeter.io/';
const SIDES = { requests: 'request', limits: 'limit' } as const;

/** The message of a part: the object as it was, and `usage`. */
export function messageOf(part: Part, usage: ReturnType<UsageOf>): Record<string, unknown> {
  const { body } = part.version;
  return { ...body, usage: { subject: subjectOf(body), time: instantText(part.livedFromMs), ...usage } };
}

function subjectOf(body: Body): string {
  return textAt(body, 'metadata', 'annotations', SUBJECT) ?? textAt(body, 'metadata', 'name') ?? '';
}

/** Annotations that are meant for the event, without their prefix; what is computed comes before them. */
function dataOf(body: Body, computed: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const annotations = at(body, 'metadata', 'annotations');
  const own = isObject(annotations) ? Object.entries(annotations) : [];
  const given = own.flatMap(([name, value]) =>
    name.startsWith(DATA_PREFIX) && typeof value === 'string' ? [[name.slice(DATA_PREFIX.length), value] as const] : [],
  );
  return Object.fromEntries([...given, ...Object.entries(computed)]);
}

/**
 * Pods: running time, requests and limits. The documented names keep the documented values: `cpu_…_millicores` are cores, and
 * `…_per_second` is the pod's quantity times its seconds. The plain ones (`cpu_request_core_seconds`) add up what each
 * container asked for over its own running time, init containers and overhead too.
 */
export function podUsage(counting: Counting, gpus: readonly string[]): UsageOf {
  const asked = remembered((body) => ({ requests: askedBy(body, 'requests'), limits: askedBy(body, 'limits') }));
  const isWhole = counting.basis === 'reserved' || counting.count === 'scheduled';

  function quantities(one: Asked, part: Part): { now: Quantities; seconds: Quantities } {
    const now = counting.basis === 'reserved' ? one.reserved : one.running;
    if (isWhole) return { now, seconds: overTime(now, part.livedMs) };
    let sum: Quantities = new Map();
    for (const [container, ms] of part.containersMs) {
      sum = plus(sum, overTime(one.containers.get(container) ?? new Map(), ms));
    }
    const whole = overTime(one.whole, part.heldMs);
    return { now, seconds: plus(new Map([...sum, ...whole]), overTime(one.overhead, part.heldMs)) };
  }

  function sideOf(side: Side, one: Asked, part: Part): Record<string, string> {
    const { now, seconds } = quantities(one, part);
    const times = overTime(now, part.livedMs);
    const word = SIDES[side];
    return {
      [`cpu_${word}_millicores`]: textOf(now, 'cpu'),
      [`cpu_${word}_millicores_per_second`]: textOf(times, 'cpu'),
      [`cpu_${word}_core_seconds`]: textOf(seconds, 'cpu'),
      [`memory_${word}_bytes`]: textOf(now, 'memory'),
      [`memory_${word}_bytes_per_second`]: textOf(times, 'memory'),
      [`memory_${word}_byte_seconds`]: textOf(seconds, 'memory'),
      [`gpu_${word}_count`]: textOf(now, ...gpus),
      [`gpu_${word}_count_per_second`]: textOf(times, ...gpus),
      [`gpu_${word}_seconds`]: textOf(seconds, ...gpus),
    };
  }

  return lastAgain((part) => {
    const { body } = part.version;
    const { requests, limits } = asked(part.version);
    const computed = {
      pod_name: textAt(body, 'metadata', 'name'),
      pod_namespace: textAt(body, 'metadata', 'namespace'),
      duration_seconds: secondsText(part.livedMs),
      ...sideOf('requests', requests, part),
      ...(limits.running.size > 0 && sideOf('limits', limits, part)),
      ...(part.isEstimated && { end_estimated: true }),
    };
    return {
      data: dataOf(body, computed),
      request_seconds: textsOf(quantities(requests, part).seconds),
      limit_seconds: textsOf(quantities(limits, part).seconds),
    };
  });
}

/** Nodes: how long there was one of which capacity. */
export function nodeUsage(gpus: readonly string[]): UsageOf {
  const capacity = remembered((body) => quantitiesOf(at(body, 'status', 'capacity')));
  return lastAgain((part) => {
    const { body } = part.version;
    const now = capacity(part.version);
    const seconds = overTime(now, part.livedMs);
    const computed = {
      node_name: textAt(body, 'metadata', 'name'),
      duration_seconds: secondsText(part.livedMs),
      cpu_capacity_cores: textOf(now, 'cpu'),
      cpu_capacity_core_seconds: textOf(seconds, 'cpu'),
      memory_capacity_bytes: textOf(now, 'memory'),
      memory_capacity_byte_seconds: textOf(seconds, 'memory'),
      gpu_capacity_count: textOf(now, ...gpus),
      gpu_capacity_seconds: textOf(seconds, ...gpus),
      ...(part.isEstimated && { end_estimated: true }),
    };
    return { data: dataOf(body, computed), capacity_seconds: textsOf(seconds) };
  });
}

/** Volumes, and claims by what they have: how long there were so many bytes. */
export function storageUsage(prefix: 'pv' | 'pvc'): UsageOf {
  const capacity = remembered((body) =>
    quantitiesOf(
      prefix === 'pv'
        ? at(body, 'spec', 'capacity')
        : (at(body, 'status', 'capacity') ?? at(body, 'spec', 'resources', 'requests')),
    ),
  );
  return lastAgain((part) => {
    const { body } = part.version;
    const now = capacity(part.version);
    const named = {
      [`${prefix}_name`]: textAt(body, 'metadata', 'name'),
      [`${prefix}_namespace`]: textAt(body, 'metadata', 'namespace'),
      claim_name: textAt(body, 'spec', 'claimRef', 'name'),
      claim_namespace: textAt(body, 'spec', 'claimRef', 'namespace'),
      storage_class: textAt(body, 'spec', 'storageClassName'),
    };
    const computed = {
      ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
      duration_seconds: secondsText(part.livedMs),
      storage_bytes: textOf(now, 'storage'),
      storage_byte_seconds: textOf(overTime(now, part.livedMs), 'storage'),
      ...(part.isEstimated && { end_estimated: true }),
    };
    return { data: dataOf(body, computed) };
  });
}

/** Read once for each version that is looked at: slices of one object come one after the other. */
function remembered<T>(read: (body: Body) => T): (version: Version) => T {
  const known = new WeakMap<Version, T>();
  return (version) => {
    const found = known.get(version);
    if (found !== undefined) return found;
    const made = read(version.body);
    known.set(version, made);
    return made;
  };
}

/** Most slices of an object are alike, and whole ones. */
function lastAgain(compute: UsageOf): UsageOf {
  let last: { readonly version: Version; readonly key: string; readonly usage: ReturnType<UsageOf> } | undefined;
  return (part) => {
    const { version, containersMs, livedMs, heldMs, isEstimated } = part;
    const key = JSON.stringify([livedMs, heldMs, isEstimated, ...containersMs]);
    if (last?.version !== version || last.key !== key) last = { version, key, usage: compute(part) };
    return last.usage;
  };
}
