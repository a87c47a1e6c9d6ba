import { type Token, Untranslatable } from './bloblang-tokens.ts';
import { eitherText, metaText, objectText, pathName } from './jsonata-texts.ts';

/** Left out of the object that it stands in. */
export const OMITTED = Symbol('omitted');
export type Value = string | typeof OMITTED;

type Target =
  | { readonly kind: 'let'; readonly name: string }
  | { readonly kind: 'root'; readonly path: readonly string[] };

/** Reads one statement after the other, each as the JSONata that means the same: a cursor in the tokens. */
export class Parser {
  /** What a reader should know of what has been read. */
  readonly notes = new Set<string>();
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Of the objects around the place. */
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** @returns undefined at the end */
  statement(): { target: Target; value: Value } | undefined {
    this.#skipLines();
    if (this.#peek().kind === 'end') return undefined;
    const target = this.#readTarget();
    this.#expect('=');
    this.#skipLines();
    const value = this.#readValue();
    if (this.#peek().kind !== 'newline' && this.#peek().kind !== 'end')
      throw this.#fail(`"${this.#peek().text}" is not read here`);
    return { target, value };
  }

  #skipLines(): void {
    while (this.#peek().kind === 'newline') this.#at++;
  }

  #expect(text: string): void {
    if (!this.#is(text)) throw this.#fail(`"${this.#peek().text}" is not read here`);
    this.#at++;
  }

  #readTarget(): Target {
    const { text } = this.#next();
    if (text === 'let') return { kind: 'let', name: this.#next().text };
    if (text !== 'root') throw new Untranslatable(this.#peek().line, `assigning to "${text}" is not read`);
    const path: string[] = [];
    while (this.#is('.')) {
      this.#at++;
      path.push(nameOf(this.#next()));
    }
    return { kind: 'root', path };
  }

  #readValue(): Value {
    let left = this.#readProduct();
    while (this.#is('|')) {
      this.#at++;
      this.#skipLines();
      const right = this.#readProduct();
      left = left === OMITTED ? right : right === OMITTED ? left : eitherText(left, right);
    }
    return left;
  }

  #readProduct(): Value {
    let left = this.#readMethods();
    while (this.#is('*') || this.#is('/')) {
      const name = this.#next().text === '*' ? '$times' : '$over';
      const right = this.#readMethods();
      if (left === OMITTED || right === OMITTED) throw this.#fail('computing with what is left out is not read');
      left = `${name}(${left}, ${right})`;
    }
    return left;
  }

  #readMethods(): Value {
    let value = this.#readAtom();
    while (this.#is('.')) {
      this.#at++;
      const name = this.#next().text;
      this.#expect('(');
      const argument = this.#is(')') ? undefined : this.#readValue();
      this.#expect(')');
      if (value === OMITTED) continue;
      if (name === 'or' && argument !== undefined) value = argument === OMITTED ? value : eitherText(value, argument);
      else if (name === 'string' && argument === undefined) value = `$string(${value})`;
      else if (name === 'number' && argument === undefined) value = `$number(${value})`;
      else throw this.#fail(`the method ${name} is not read`);
    }
    return value;
  }

  #readAtom(): Value {
    const token = this.#next();
    if (token.kind === 'text' || token.kind === 'number') return token.text;
    if (token.text === '{') return this.#readObject();
    if (token.text === '[') return this.#readList();
    if (token.text === '@') return metaText(nameOf(this.#next()));
    if (token.text === '$') return `$${nameOf(this.#next())}`;
    if (token.text === '(') {
      const inner = this.#readValue();
      this.#expect(')');
      return inner;
    }
    if (['true', 'false', 'null'].includes(token.text)) return token.text;
    if (token.text === 'this') return this.#readPath();
    return this.#readCall(token);
  }

  /** `this.a.b`, up to a name with a bracket behind it, which is a method. */
  #readPath(): string {
    const names: string[] = [];
    while (this.#is('.') && this.#tokens[this.#at + 2]?.text !== '(') {
      this.#at++;
      names.push(nameOf(this.#next()));
    }
    return names.length === 0 ? '$' : names.map(pathName).join('.');
  }

  #readCall({ text, line }: Token): Value {
    if (!this.#is('(')) throw new Untranslatable(line, `"${text}" is not read`);
    this.#at++;
    const argument = this.#is(')') ? undefined : this.#next();
    this.#expect(')');
    if (text === 'uuid_v4' || text === 'uuid_v7' || text === 'nanoid' || text === 'ksuid') {
      this.notes.add(`${text}() is left out: ids derive from what is metered`);
      return OMITTED;
    }
    if (text === 'now') {
      this.notes.add('now() is left out: an event has the time that its source gives');
      return OMITTED;
    }
    if ((text === 'meta' || text === 'metadata') && argument !== undefined) return metaText(nameOf(argument));
    throw new Untranslatable(line, `the function ${text} is not read`);
  }

  #readObject(): string {
    const fields: (readonly [string, string])[] = [];
    this.#depth++;
    for (this.#skipLines(); !this.#is('}'); this.#skipLines()) {
      const name = nameOf(this.#next());
      this.#expect(':');
      this.#skipLines();
      const value = this.#readValue();
      if (value !== OMITTED) fields.push([name, value]);
      this.#skipLines();
      if (this.#is(',')) this.#at++;
      else if (!this.#is('}')) throw this.#fail(`"${this.#peek().text}" is not read here`);
    }
    this.#at++;
    this.#depth--;
    return objectText(fields, this.#depth);
  }

  #readList(): string {
    const items: string[] = [];
    for (this.#skipLines(); !this.#is(']'); this.#skipLines()) {
      const value = this.#readValue();
      if (value !== OMITTED) items.push(value);
      this.#skipLines();
      if (this.#is(',')) this.#at++;
      else if (!this.#is(']')) throw this.#fail(`"${this.#peek().text}" is not read here`);
    }
    this.#at++;
    return `[${items.join(', ')}]`;
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #next(): Token {
    return this.#tokens[this.#at++] as Token;
  }

  #is(text: string): boolean {
    return this.#peek().text === text && this.#peek().kind !== 'text';
  }

  #fail(what: string): Untranslatable {
    return new Untranslatable(this.#peek().line, what);
  }
}

function nameOf({ kind, text, line }: Token): string {
  if (kind === 'name') return text;
  if (kind === 'text') return JSON.parse(text) as string;
  throw new Untranslatable(line, `"${text}" is no name`);
}
