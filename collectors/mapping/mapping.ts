import jsonata from 'jsonata';
import { type Clock, systemClock } from '../../delivery/clock.ts';
import { productOf, quantityOf, quotientOf, sumOf } from './decimals.ts';
import { compileWalk, UNSURE } from './field-walk.ts';

/** What a mapping made of one message, or why it made nothing. */
export type Mapped =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly reason: string };

/** What the source says about a message: what `$meta(name)` answers. Read where a mapping may ask for it, and not before. */
export interface About {
  readonly meta?: Readonly<Record<string, string>> | undefined;
}

/** A pure function of a message and what its source says about it; at once where it only walks fields. */
export type Mapping = (message: unknown, about: About) => Mapped | Promise<Mapped>;

/** Steps of one evaluation; a documented mapping takes some hundred. Counted and not timed, so that the same message always
 * has the same result, however busy the machine is. */
const MAX_STEPS = 1_000_000;
/** Of one that has few steps, and looks through a long list in each. No mapping of a message that was meant comes near. */
const MAX_MS = 10_000;
const STEPS_A_LOOK = 256;
const MAX_DEPTH = 200;
/** Items of a list that an expression makes, such as `[1..1000000]`. */
const MAX_SEQUENCE = 100_000;
const MAX_REASON_LENGTH = 300;
const NO_META = {};

/** What gives another answer each time: ids, and so figures, would change with a second read. */
const IMPURE = new Set(['now', 'millis', 'random', 'shuffle', 'uuid']);
/**
 * Builds texts whose length the message decides, expressions at run time, which nobody has looked at, and copies of a list as
 * often as it is long: to sort 20,000 items took 200 MB.
 */
const UNBOUNDED = new Set(['eval', 'pad', 'sort']);

/**
 * Compiles a JSONata expression. Ours are `$meta(name)`, and on decimal numbers and texts, exactly, `$quantity(text)`,
 * `$addAll(list)`, `$times(a, b)` and `$over(a, b)`.
 * @throws TypeError that says what is wrong with the expression, and where
 */
export function compileMapping(source: string, clock: Pick<Clock, 'now'> = systemClock): Mapping {
  const guard = createGuard(clock);
  const expression = parse(source, guard);
  const tree: unknown = expression.ast();
  refuseIn(tree);
  const walk = compileWalk(expression.ast());
  registerFunctions(expression);
  // One evaluation at a time: the guard counts the steps of one, and the others would only take their turns anyway.
  let turn: Promise<unknown> = Promise.resolve();

  async function evaluate(message: unknown, { meta = NO_META }: About): Promise<Mapped> {
    guard.begin();
    try {
      const result: unknown = await expression.evaluate(message, {
        meta: (name: string) => (Object.hasOwn(meta, name) ? meta[name] : undefined),
      });
      return { kind: 'result', result };
    } catch (error) {
      return { kind: 'failed', reason: `the mapping failed: ${reasonOf(error)}`.slice(0, MAX_REASON_LENGTH) };
    }
  }

  return (message, about) => {
    const walked = walk === undefined ? UNSURE : walk(message);
    if (walked !== UNSURE) return { kind: 'result', result: walked };
    const mine = turn.then(() => evaluate(message, about));
    turn = mine;
    return mine;
  };
}

interface Guard {
  /** What JSONata looks at before each step. */
  readonly options: { readonly stack: number; readonly sequence: number };
  begin(): void;
}

function createGuard(clock: Pick<Clock, 'now'>): Guard {
  let steps = 0;
  let startedAtMs = 0;
  return {
    begin() {
      steps = 0;
      startedAtMs = clock.now();
    },
    options: {
      get stack() {
        if (++steps > MAX_STEPS) throw new RangeError(`it takes more than ${MAX_STEPS} steps`);
        if (steps % STEPS_A_LOOK === 0 && clock.now() - startedAtMs > MAX_MS) {
          throw new RangeError('it looks through long lists again and again');
        }
        return MAX_DEPTH;
      },
      sequence: MAX_SEQUENCE,
    },
  };
}

function parse(source: string, guard: Guard): jsonata.Expression {
  try {
    return jsonata(source, guard.options as jsonata.JsonataOptions);
  } catch (error) {
    const { position } = (error ?? {}) as { position?: number };
    const before = source.slice(0, position ?? 0).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    throw new TypeError(`is no JSONata expression: ${reasonOf(error)} (${place})`);
  }
}

/** Looks through the whole tree; the names of functions are variables in it. */
function refuseIn(node: unknown): void {
  if (typeof node !== 'object' || node === null || node instanceof RegExp) return;
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === 'regex') {
    throw new TypeError(
      'has a regular expression, which a message could make run for hours; use $contains, $split or $substring',
    );
  }
  if (type === 'variable' && typeof value === 'string') {
    if (IMPURE.has(value))
      throw new TypeError(`has $${value}, which gives another answer each time: a second read would count twice`);
    if (UNBOUNDED.has(value)) throw new TypeError(`has $${value}, which is not bounded`);
  }
  if (type === 'sort') throw new TypeError('orders a list by ^( ), which is not bounded');
  for (const child of Object.values(node)) refuseIn(child);
}

function registerFunctions(expression: jsonata.Expression): void {
  const orNothing = (compute: (value: unknown) => string) => (value: unknown) =>
    value === undefined || value === null ? undefined : compute(value);
  expression.registerFunction('distinct', distinct);
  expression.registerFunction('quantity', orNothing(quantityOf));
  expression.registerFunction('addAll', (values: unknown) => sumOf(values === undefined ? [] : [values].flat()));
  expression.registerFunction('times', (a: unknown, b: unknown) => productOf(a, b));
  expression.registerFunction('over', (a: unknown, b: unknown) => quotientOf(a, b));
}

/** In the place of JSONata's own, which compares each item with each other one: of 100,000 it took half a minute. */
function distinct(list: unknown): unknown {
  if (!Array.isArray(list) || list.length <= 1) return list;
  const result = [...new Map(list.map((item: unknown) => [JSON.stringify(item, inOrder), item])).values()];
  // A list that JSONata made itself stands for its item when it has one.
  return 'sequence' in list ? Object.defineProperty(result, 'sequence', { value: true }) : result;
}

/** Objects are alike whatever the order of their fields. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
