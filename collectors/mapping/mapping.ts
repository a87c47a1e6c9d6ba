import jsonata from 'jsonata';
import { productOf, quantityOf, quotientOf, sumOf } from './decimals.ts';
import { compileWalk, UNSURE } from './field-walk.ts';

/** What a mapping made of one message, or why it made nothing. */
export type Mapped =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly reason: string };

/** A pure function of a message and what its source says about it. */
export type Mapping = (message: unknown, meta: Readonly<Record<string, string>>) => Promise<Mapped>;

/** Steps of one evaluation; a documented mapping takes some hundred. Counted and not timed, so that the same message always
 * has the same result, however busy the machine is. */
const MAX_STEPS = 1_000_000;
const MAX_DEPTH = 200;
/** Items of a list that an expression makes, such as `[1..1000000]`. */
const MAX_SEQUENCE = 100_000;
const MAX_REASON_LENGTH = 300;

/** What gives another answer each time: ids, and so figures, would change with a second read. */
const IMPURE = new Set(['now', 'millis', 'random', 'shuffle', 'uuid']);
/** Builds texts whose length the message decides, and expressions at run time, which nobody has looked at. */
const UNBOUNDED = new Set(['eval', 'pad']);

/**
 * Compiles a JSONata expression. Ours are `$meta(name)`, and on decimal numbers and texts, exactly, `$quantity(text)`,
 * `$addAll(list)`, `$times(a, b)` and `$over(a, b)`.
 * @throws TypeError that says what is wrong with the expression, and where
 */
export function compileMapping(source: string): Mapping {
  const guard = createGuard();
  const expression = parse(source, guard);
  const tree: unknown = expression.ast();
  refuseIn(tree);
  const walk = compileWalk(expression.ast());
  registerFunctions(expression);
  // One evaluation at a time: the guard counts the steps of one, and the others would only take their turns anyway.
  let turn: Promise<unknown> = Promise.resolve();

  async function evaluate(message: unknown, meta: Readonly<Record<string, string>>): Promise<Mapped> {
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

  return (message, meta) => {
    const walked = walk === undefined ? UNSURE : walk(message);
    if (walked !== UNSURE) return Promise.resolve({ kind: 'result', result: walked });
    const mine = turn.then(() => evaluate(message, meta));
    turn = mine;
    return mine;
  };
}

interface Guard {
  /** What JSONata looks at before each step. */
  readonly options: { readonly stack: number; readonly sequence: number };
  begin(): void;
}

function createGuard(): Guard {
  let steps = 0;
  return {
    begin() {
      steps = 0;
    },
    options: {
      get stack() {
        if (++steps > MAX_STEPS) throw new RangeError(`it takes more than ${MAX_STEPS} steps`);
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
  for (const child of Object.values(node)) refuseIn(child);
}

function registerFunctions(expression: jsonata.Expression): void {
  const orNothing = (compute: (value: unknown) => string) => (value: unknown) =>
    value === undefined || value === null ? undefined : compute(value);
  expression.registerFunction('quantity', orNothing(quantityOf));
  expression.registerFunction('addAll', (values: unknown) => sumOf(values === undefined ? [] : [values].flat()));
  expression.registerFunction('times', (a: unknown, b: unknown) => productOf(a, b));
  expression.registerFunction('over', (a: unknown, b: unknown) => quotientOf(a, b));
}

function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
