import { createByteCache } from '../../platform/byte-cache.ts';
import { Decimal } from '../../platform/decimal.ts';
import { isJsonObject, isRawJson } from '../../platform/json.ts';
import { type Condition, type Operand, parseJsonPath, type Segment, type SingularQuery } from './json-path-parse.ts';

/**
 * Reads one value out of an event's data; undefined when the path leads nowhere, and when it cannot be evaluated on this
 * data. Never throws: what one meter makes of one event concerns no other one.
 */
export type ReadPath = (data: unknown) => unknown;

const CHILD_STEP = /^(?:\.([A-Za-z_][A-Za-z0-9_]*)|\['([^'\\]*)'\]|\["([^"\\]*)"\]|\[(\d{1,9})\])/;

/** Values that a path may look at in one event: some 2 ms, and more than an event of 64 KiB needs for any sensible path. */
const MAX_VISITS = 20_000;
/** Levels that descendants are looked for in: what the API takes is no deeper. */
const MAX_DEPTH = 128;
/** Longer numbers equal nothing and are less than nothing. */
const MAX_NUMBER_LENGTH = 512;

class TooCostly extends Error {}

/** @throws Error with a sentence when a meter may not have the path */
export function checkJsonPath(path: string): void {
  parseJsonPath(path);
}

/**
 * Compiles a JSONPath that starts with "$"; one that a meter may not have any more finds nothing in any event.
 * Paths of plain child steps, which nearly all meters have, become a property walk: it costs a twentieth of the general
 * evaluation. Of a path that finds several values the first one counts.
 */
export function compileJsonPath(path: string): ReadPath {
  const evaluate = compile(path);
  return (data) => evaluate(data).value;
}

/** Why a path cannot be evaluated on an event's data, in a sentence; undefined when it can, whatever it finds. */
export function jsonPathProblem(path: string, data: unknown): string | undefined {
  return compile(path)(data).problem;
}

interface Found {
  value?: unknown;
  problem?: string;
}

type Evaluate = (data: unknown) => Found;

/** Lists of events ask for the same few paths again and again. */
const compiled = createByteCache<Evaluate>(1_048_576);

function compile(path: string): Evaluate {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  const evaluate = compileAnew(path);
  compiled.set(path, evaluate);
  return evaluate;
}

function compileAnew(path: string): Evaluate {
  const steps = path.startsWith('$') ? childSteps(path) : undefined;
  if (steps !== undefined) return (data) => ({ value: walk(data, steps) });
  let segments: readonly Segment[];
  try {
    segments = parseJsonPath(path);
  } catch (error) {
    const problem = `the path ${error instanceof Error ? error.message : 'is not a JSONPath'}`;
    return () => ({ problem });
  }
  return (data) => {
    try {
      return { value: new Evaluation(data, segments).first(data, 0) };
    } catch (error) {
      if (error instanceof TooCostly) return { problem: error.message };
      return { problem: `the path cannot be evaluated: ${error instanceof Error ? error.message : 'unknown'}` };
    }
  };
}

/** One evaluation of a path. Looks for the first value only, in the order of RFC 9535. */
class Evaluation {
  readonly #root: unknown;
  readonly #segments: readonly Segment[];
  #visits = 0;

  constructor(root: unknown, segments: readonly Segment[]) {
    this.#root = root;
    this.#segments = segments;
  }

  first(value: unknown, index: number): unknown {
    const segment = this.#segments[index];
    if (segment === undefined) return value;
    return segment.isDescendant ? this.#descend(value, segment, index, 0) : this.#select(value, segment, index);
  }

  #descend(value: unknown, segment: Segment, index: number, depth: number): unknown {
    if (depth > MAX_DEPTH)
      throw new TooCostly(`the data is nested deeper than the ${MAX_DEPTH} levels that are searched`);
    const found = this.#select(value, segment, index);
    if (found !== undefined) return found;
    for (const child of this.#children(value)) {
      if (typeof child !== 'object' || child === null) continue;
      const below = this.#descend(child, segment, index, depth + 1);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  #select(value: unknown, { selector }: Segment, index: number): unknown {
    this.#visit();
    if (selector.kind === 'name' || selector.kind === 'index') {
      const child = step(value, selector.kind === 'name' ? selector.name : selector.index);
      return child === undefined ? undefined : this.first(child, index + 1);
    }
    for (const child of this.#children(value)) {
      if (selector.kind === 'filter' && !this.#holds(selector.condition, child)) continue;
      const found = this.first(child, index + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *#children(value: unknown): Generator<unknown> {
    if (!Array.isArray(value) && !isJsonObject(value)) return;
    for (const child of Array.isArray(value) ? value : Object.values(value)) {
      this.#visit();
      yield child;
    }
  }

  #visit(): void {
    if (++this.#visits > MAX_VISITS)
      throw new TooCostly(`the path looks at more than ${MAX_VISITS} values of the event`);
  }

  #holds(condition: Condition, current: unknown): boolean {
    this.#visit();
    switch (condition.kind) {
      case 'or':
        return condition.parts.some((part) => this.#holds(part, current));
      case 'and':
        return condition.parts.every((part) => this.#holds(part, current));
      case 'not':
        return !this.#holds(condition.part, current);
      case 'exists':
        return this.#read(condition.query, current) !== undefined;
      case 'compare':
        return compares(
          condition.operator,
          this.#operand(condition.left, current),
          this.#operand(condition.right, current),
        );
    }
  }

  #operand(operand: Operand, current: unknown): Comparable {
    if (operand.kind === 'literal') return operand.value;
    if (operand.kind === 'number') return new Decimal(operand.text);
    const value = this.#read(operand, current);
    if (typeof value === 'number') return new Decimal(value);
    if (isRawJson(value)) return value.rawJSON.length > MAX_NUMBER_LENGTH ? NOT_COMPARABLE : new Decimal(value.rawJSON);
    return typeof value === 'object' && value !== null ? NOT_COMPARABLE : (value as Comparable);
  }

  #read({ isRoot, steps }: SingularQuery, current: unknown): unknown {
    return walk(isRoot ? this.#root : current, steps);
  }
}

/** Lists and objects: a plain comparison never holds for them. */
const NOT_COMPARABLE = Symbol('not comparable');
/** undefined: nothing is there. */
type Comparable = string | boolean | null | undefined | Decimal | typeof NOT_COMPARABLE;

function compares(operator: string, a: Comparable, b: Comparable): boolean {
  switch (operator) {
    case '==':
      return isEqual(a, b);
    case '!=':
      return !isEqual(a, b);
    case '<':
      return isLess(a, b);
    case '>':
      return isLess(b, a);
    case '<=':
      return isLess(a, b) || isEqual(a, b);
    default:
      return isLess(b, a) || isEqual(a, b);
  }
}

/** Numbers by their value, however they are written: 10, 10.0 and 1e1 are the same. */
function isEqual(a: Comparable, b: Comparable): boolean {
  if (a === NOT_COMPARABLE || b === NOT_COMPARABLE) return false;
  if (Decimal.isDecimal(a) && Decimal.isDecimal(b)) return a.equals(b);
  return a === b;
}

/** Of numbers and of texts; everything else has no order. */
function isLess(a: Comparable, b: Comparable): boolean {
  if (Decimal.isDecimal(a) && Decimal.isDecimal(b)) return a.lessThan(b);
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

function childSteps(path: string): (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  let rest = path.slice(1);
  while (rest !== '') {
    const match = CHILD_STEP.exec(rest);
    if (match === null) return undefined;
    const [whole, dotted, single, double, index] = match;
    steps.push(index === undefined ? (dotted ?? single ?? double ?? '') : Number.parseInt(index, 10));
    rest = rest.slice(whole.length);
  }
  return steps;
}

function walk(data: unknown, steps: readonly (string | number)[]): unknown {
  let value = data;
  for (const part of steps) {
    value = step(value, part);
    if (value === undefined) return undefined;
  }
  return value;
}

function step(value: unknown, part: string | number): unknown {
  if (typeof part === 'number') return Array.isArray(value) ? value.at(part) : undefined;
  return isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}
