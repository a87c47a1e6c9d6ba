import { type Token, tokensOf, Untranslatable } from './bloblang-tokens.ts';

/** A mapping in JSONata, and what a reader should know of it. */
export interface Translation {
  readonly jsonata: string;
  readonly notes: readonly string[];
}

/** What the sources here call what OpenMeter's collector says about a message. */
const META: Readonly<Record<string, string>> = {
  schedule_time: 'interval_start',
  schedule_interval: 'duration_seconds',
};
/** Left out of the object that it stands in. */
const OMITTED = Symbol('omitted');
type Value = string | typeof OMITTED;

/**
 * Translates what the documented mappings consist of: `root = {…}` and `root.a.b = …`, `let`, objects, lists, texts, numbers,
 * `this.a."b.c"`, `meta("x")`, `@x`, `|` and `.or(…)`, `.string()`, `.number()`, and `*` and `/` on quantities. `uuid_v4()` and
 * `now()` are left out, since ids and times derive from what is metered.
 * @throws Untranslatable that names the first line with anything else
 */
export function translateBloblang(source: string): Translation {
  const parser = createParser(tokensOf(source));
  const notes = new Set<string>();
  const lets: string[] = [];
  const root: Tree = new Map();
  let whole: string | undefined;
  for (let statement = parser.statement(notes); statement !== undefined; statement = parser.statement(notes)) {
    const { target, value } = statement;
    if (target.kind === 'let') lets.push(`$${target.name} := ${value === OMITTED ? '$nothing' : value}`);
    else if (target.path.length === 0) whole = value === OMITTED ? undefined : value;
    else place(root, target.path, value);
  }
  const fields = root.size === 0 ? undefined : treeText(root, 0);
  const body = whole !== undefined && fields !== undefined ? `$merge([${whole}, ${fields}])` : (whole ?? fields);
  if (body === undefined) throw new Untranslatable(1, 'nothing is assigned to root');
  return { jsonata: lets.length === 0 ? body : `(\n${[...lets, body].join(';\n')}\n)`, notes: [...notes] };
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

function objectText(fields: readonly (readonly [string, string])[], depth: number): string {
  if (fields.length === 0) return '{}';
  const pad = '  '.repeat(depth + 1);
  const lines = fields.map(([name, value]) => `${pad}${JSON.stringify(name)}: ${value}`);
  return `{\n${lines.join(',\n')}\n${'  '.repeat(depth)}}`;
}

type Target =
  | { readonly kind: 'let'; readonly name: string }
  | { readonly kind: 'root'; readonly path: readonly string[] };

function createParser(tokens: readonly Token[]) {
  let at = 0;
  let depth = 0;
  const peek = () => tokens[at] as Token;
  const next = () => tokens[at++] as Token;
  const is = (text: string) => peek().text === text && peek().kind !== 'text';
  const fail = (what: string) => new Untranslatable(peek().line, what);
  function skipLines(): void {
    while (peek().kind === 'newline') at++;
  }
  function expect(text: string): void {
    if (!is(text)) throw fail(`"${peek().text}" is not read here`);
    at++;
  }

  function statement(notes: Set<string>): { target: Target; value: Value } | undefined {
    skipLines();
    if (peek().kind === 'end') return undefined;
    const target = readTarget();
    expect('=');
    skipLines();
    const value = readValue(notes);
    if (peek().kind !== 'newline' && peek().kind !== 'end') throw fail(`"${peek().text}" is not read here`);
    return { target, value };
  }

  function readTarget(): Target {
    const { text } = next();
    if (text === 'let') return { kind: 'let', name: next().text };
    if (text !== 'root') throw new Untranslatable(peek().line, `assigning to "${text}" is not read`);
    const path: string[] = [];
    while (is('.')) {
      at++;
      path.push(nameOf(next()));
    }
    return { kind: 'root', path };
  }

  function nameOf({ kind, text, line }: Token): string {
    if (kind === 'name') return text;
    if (kind === 'text') return JSON.parse(text) as string;
    throw new Untranslatable(line, `"${text}" is no name`);
  }

  function readValue(notes: Set<string>): Value {
    let left = readProduct(notes);
    while (is('|')) {
      at++;
      skipLines();
      const right = readProduct(notes);
      left = left === OMITTED ? right : right === OMITTED ? left : eitherText(left, right);
    }
    return left;
  }

  function readProduct(notes: Set<string>): Value {
    let left = readMethods(notes);
    while (is('*') || is('/')) {
      const name = next().text === '*' ? '$times' : '$over';
      const right = readMethods(notes);
      if (left === OMITTED || right === OMITTED) throw fail('computing with what is left out is not read');
      left = `${name}(${left}, ${right})`;
    }
    return left;
  }

  function readMethods(notes: Set<string>): Value {
    let value = readAtom(notes);
    while (is('.')) {
      at++;
      const name = next().text;
      expect('(');
      const argument = is(')') ? undefined : readValue(notes);
      expect(')');
      if (value === OMITTED) continue;
      if (name === 'or' && argument !== undefined) value = argument === OMITTED ? value : eitherText(value, argument);
      else if (name === 'string' && argument === undefined) value = `$string(${value})`;
      else if (name === 'number' && argument === undefined) value = `$number(${value})`;
      else throw fail(`the method ${name} is not read`);
    }
    return value;
  }

  function readAtom(notes: Set<string>): Value {
    const token = next();
    if (token.kind === 'text' || token.kind === 'number') return token.text;
    if (token.text === '{') return readObject(notes);
    if (token.text === '[') return readList(notes);
    if (token.text === '@') return metaText(nameOf(next()));
    if (token.text === '$') return `$${nameOf(next())}`;
    if (token.text === '(') {
      const inner = readValue(notes);
      expect(')');
      return inner;
    }
    if (['true', 'false', 'null'].includes(token.text)) return token.text;
    if (token.text === 'this') return readPath();
    return readCall(token, notes);
  }

  /** `this.a.b`, up to a name with a bracket behind it, which is a method. */
  function readPath(): string {
    const names: string[] = [];
    while (is('.') && tokens[at + 2]?.text !== '(') {
      at++;
      names.push(nameOf(next()));
    }
    return names.length === 0 ? '$' : names.map(pathName).join('.');
  }

  function readCall({ text, line }: Token, notes: Set<string>): Value {
    if (!is('(')) throw new Untranslatable(line, `"${text}" is not read`);
    at++;
    const argument = is(')') ? undefined : next();
    expect(')');
    if (text === 'uuid_v4' || text === 'uuid_v7' || text === 'nanoid' || text === 'ksuid') {
      notes.add(`${text}() is left out: ids derive from what is metered`);
      return OMITTED;
    }
    if (text === 'now') {
      notes.add('now() is left out: an event has the time that its source gives');
      return OMITTED;
    }
    if ((text === 'meta' || text === 'metadata') && argument !== undefined) return metaText(nameOf(argument));
    throw new Untranslatable(line, `the function ${text} is not read`);
  }

  function readObject(notes: Set<string>): string {
    const fields: (readonly [string, string])[] = [];
    depth++;
    for (skipLines(); !is('}'); skipLines()) {
      const name = nameOf(next());
      expect(':');
      skipLines();
      const value = readValue(notes);
      if (value !== OMITTED) fields.push([name, value]);
      skipLines();
      if (is(',')) at++;
      else if (!is('}')) throw fail(`"${peek().text}" is not read here`);
    }
    at++;
    depth--;
    return objectText(fields, depth);
  }

  function readList(notes: Set<string>): string {
    const items: string[] = [];
    for (skipLines(); !is(']'); skipLines()) {
      const value = readValue(notes);
      if (value !== OMITTED) items.push(value);
      skipLines();
      if (is(',')) at++;
      else if (!is(']')) throw fail(`"${peek().text}" is not read here`);
    }
    at++;
    return `[${items.join(', ')}]`;
  }

  return { statement };
}

function eitherText(left: string, right: string): string {
  return `($exists(${left}) ? ${left} : ${right})`;
}

function metaText(name: string): string {
  return `$meta(${JSON.stringify(META[name] ?? name)})`;
}

/** As JSONata names a field; `and`, `or` and `in` are its operators. */
function pathName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !['and', 'or', 'in', 'true', 'false', 'null'].includes(name)
    ? name
    : `\`${name}\``;
}
