import { Decimal } from 'decimal.js';
import { quantityOf } from '../mapping/decimals.ts';
import { at, isObject, listAt, textAt } from './json.ts';
import type { Body } from './life.ts';

/** More digits than a sum of products of quantities and milliseconds has: nothing is rounded. */
const Exact = Decimal.clone({ precision: 80, toExpNeg: -1000, toExpPos: 1000 });
type Exact = InstanceType<typeof Exact>;
const ZERO: Exact = new Exact(0);

/** Quantities by the name of their resource, in its base unit: cores, bytes, pieces. */
export type Quantities = ReadonlyMap<string, Exact>;

/** No pod asks for more kinds of things. */
const MAX_NAMES = 100;

export type Side = 'requests' | 'limits';

/** What a pod asks for, as far as one container, or the pod itself, asks for it. */
export interface Asked {
  /** By the container's name; of init containers and sidecars too. */
  readonly containers: ReadonlyMap<string, Quantities>;
  /** What running the pod takes beyond its containers; of requests only. */
  readonly overhead: Quantities;
  /** Of the whole pod: takes the place of the containers' sum. */
  readonly whole: Quantities;
  /** Containers and sidecars together: what the pod has while it runs. */
  readonly running: Quantities;
  /** What the scheduler keeps for it: an init container may need more than all that follows. */
  readonly reserved: Quantities;
}

/** @throws TypeError for what is no quantity */
export function askedBy(body: Body, side: Side): Asked {
  const plain = listAt(body, 'spec', 'containers');
  const first = listAt(body, 'spec', 'initContainers');
  const ofContainer = (container: unknown): Quantities => quantitiesOf(resourcesOf(body, container, side));
  const containers = new Map([...plain, ...first].map((one) => [textAt(one, 'name') ?? '', ofContainer(one)]));
  // A pod's overhead is added to its limits too, where it has a limit; what is billed is what it takes: its requests.
  const overhead = side === 'requests' ? quantitiesOf(at(body, 'spec', 'overhead')) : new Map<string, Exact>();
  const whole = quantitiesOf(at(body, 'spec', 'resources', side));
  let sidecars: Quantities = new Map();
  let most: Quantities = new Map();
  for (const one of first) {
    if (at(one, 'restartPolicy') === 'Always') sidecars = plus(sidecars, ofContainer(one));
    else most = merged(most, plus(sidecars, ofContainer(one)), (a, b) => Exact.max(a, b));
  }
  const together = plain.reduce<Quantities>((sum, one) => plus(sum, ofContainer(one)), sidecars);
  const complete = (sum: Quantities) => plus(new Map([...sum, ...whole]), overhead);
  return {
    containers,
    overhead,
    whole,
    running: complete(together),
    reserved: complete(merged(together, most, (a, b) => Exact.max(a, b))),
  };
}

/** What the node has given, where that differs from what the specification says. */
function resourcesOf(body: Body, container: unknown, side: Side): unknown {
  const name = at(container, 'name');
  const status = listAt(body, 'status', 'containerStatuses').find((one) => at(one, 'name') === name);
  const asked = at(container, 'resources', side);
  const given = at(status, 'resources', side);
  return isObject(given) ? { ...(isObject(asked) ? asked : {}), ...given } : asked;
}

/** @throws TypeError for what is no quantity */
export function quantitiesOf(resources: unknown): Quantities {
  if (!isObject(resources)) return new Map();
  const entries = Object.entries(resources);
  if (entries.length > MAX_NAMES) throw new TypeError(`it names more than ${MAX_NAMES} resources`);
  return new Map(entries.map(([name, quantity]) => [name, new Exact(quantityOf(quantity))]));
}

export function plus(a: Quantities, b: Quantities): Quantities {
  return merged(a, b, (x, y) => x.plus(y));
}

/** Each times so many milliseconds, in seconds. */
export function overTime(quantities: Quantities, ms: number): Quantities {
  return new Map([...quantities].map(([name, quantity]) => [name, quantity.times(ms).div(1000)]));
}

function merged(a: Quantities, b: Quantities, join: (x: Exact, y: Exact) => Exact): Quantities {
  const result = new Map(a);
  for (const [name, value] of b) result.set(name, join(result.get(name) ?? ZERO, value));
  return result;
}

/** Of these resources together, as a decimal text. */
export function textOf(quantities: Quantities, ...names: readonly string[]): string {
  return names.reduce((sum, name) => sum.plus(quantities.get(name) ?? ZERO), ZERO).toFixed();
}

/** All of them, as decimal texts. */
export function textsOf(quantities: Quantities): Record<string, string> {
  return Object.fromEntries([...quantities].map(([name, quantity]) => [name, quantity.toFixed()]));
}
