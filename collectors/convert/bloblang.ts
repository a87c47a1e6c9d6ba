import { OMITTED, Parser, type Value } from './bloblang-parser.ts';
import { tokensOf, Untranslatable } from './bloblang-tokens.ts';
import { objectText } from './jsonata-texts.ts';

/** A mapping in JSONata, and what a reader should know of it. */
export interface Translation {
  readonly jsonata: string;
  readonly notes: readonly string[];
}

/**
 * Translates what the documented mappings consist of: `root = {…}` and `root.a.b = …`, `let`, objects, lists, texts, numbers,
 * `this.a."b.c"`, `meta("x")`, `@x`, `|` and `.or(…)`, `.string()`, `.number()`, and `*` and `/` on quantities. `uuid_v4()` and
 * `now()` are left out, since ids and times derive from what is metered.
 * @throws Untranslatable that names the first line with anything else
 */
export function translateBloblang(source: string): Translation {
  const parser = new Parser(tokensOf(source));
  const lets: string[] = [];
  const root: Tree = new Map();
  let whole: string | undefined;
  for (let statement = parser.statement(); statement !== undefined; statement = parser.statement()) {
    const { target, value } = statement;
    if (target.kind === 'let') lets.push(`$${target.name} := ${value === OMITTED ? '$nothing' : value}`);
    else if (target.path.length === 0) whole = value === OMITTED ? undefined : value;
    else place(root, target.path, value);
  }
  const fields = root.size === 0 ? undefined : treeText(root, 0);
  const body = whole !== undefined && fields !== undefined ? `$merge([${whole}, ${fields}])` : (whole ?? fields);
  if (body === undefined) throw new Untranslatable(1, 'nothing is assigned to root');
  return { jsonata: lets.length === 0 ? body : `(\n${[...lets, body].join(';\n')}\n)`, notes: [...parser.notes] };
}

type Tree = Map<string, string | Tree>;

function place(tree: Tree, path: readonly string[], value: Value): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    if (value === OMITTED) tree.delete(name);
    else tree.set(name, value);
    return;
  }
  const inner = tree.get(name);
  const next: Tree = inner instanceof Map ? inner : new Map();
  tree.set(name, next);
  place(next, rest, value);
}

function treeText(tree: Tree, depth: number): string {
  const fields = [...tree].map(
    ([name, value]) => [name, typeof value === 'string' ? value : treeText(value, depth + 1)] as const,
  );
  return objectText(fields, depth);
}
