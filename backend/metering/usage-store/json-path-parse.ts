/**
 * The JSONPath (RFC 9535) that a meter may use: names, indexes, wildcards, descendants, and filters of plain comparisons.
 * No functions (a pattern can take for ever), slices or lists. What is parsed here is what `json-path.ts` evaluates.
 */
export type Segment = { isDescendant: boolean; selector: Selector };
export type Selector =
  | { kind: 'name'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'wildcard' }
  | { kind: 'filter'; condition: Condition };
export type Condition =
  | { kind: 'or' | 'and'; parts: readonly Condition[] }
  | { kind: 'not'; part: Condition }
  | { kind: 'exists'; query: SingularQuery }
  | { kind: 'compare'; operator: Operator; left: Operand; right: Operand };
export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Operand =
  | { kind: 'literal'; value: string | boolean | null }
  | { kind: 'number'; text: string }
  | SingularQuery;
/** Leads to one value at most: "@.a[0]" from the element that is judged, "$.a" from the event's data. */
export interface SingularQuery {
  kind: 'query';
  isRoot: boolean;
  steps: readonly (string | number)[];
}

/** Parentheses and "!" within each other: nobody writes more, and parsing recurses. */
const MAX_NESTING = 16;
const NAME = /[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_\u0080-\u{10ffff}]*/uy;
const INDEX = /-?(?:0|[1-9]\d{0,8})(?![\d.])/y;
const NUMBER = /-?(?:0|[1-9]\d{0,99})(?:\.\d{1,100})?(?:[eE][+-]?\d{1,3})?/y;
const OPERATOR = /==|!=|<=|>=|<|>/y;
const BLANKS = /[ \t\r\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** @throws Error with a sentence when the path is not one, or one that a meter may not use */
export function parseJsonPath(path: string): readonly Segment[] {
  if (!path.startsWith('$')) throw new Error('must start with $');
  return new Parser(path).path();
}

class Parser {
  readonly #text: string;
  #at = 1;
  #nesting = 0;

  constructor(text: string) {
    this.#text = text;
  }

  path(): readonly Segment[] {
    const segments: Segment[] = [];
    while (this.#at < this.#text.length) segments.push(this.#segment());
    return segments;
  }

  #segment(): Segment {
    if (this.#takes('..')) {
      return { isDescendant: true, selector: this.#takes('[') ? this.#bracketed() : this.#short() };
    }
    if (this.#takes('.')) return { isDescendant: false, selector: this.#short() };
    if (this.#takes('[')) return { isDescendant: false, selector: this.#bracketed() };
    throw this.#refuse('expected ".", ".." or "["');
  }

  #short(): Selector {
    if (this.#takes('*')) return { kind: 'wildcard' };
    const name = this.#match(NAME);
    if (name === undefined) throw this.#refuse('expected a name or "*"');
    return { kind: 'name', name };
  }

  #bracketed(): Selector {
    this.#match(BLANKS);
    const selector = this.#selector();
    this.#match(BLANKS);
    if (this.#takes(']')) return selector;
    const next = this.#text[this.#at];
    if (next === ',') throw this.#refuse('a meter reads one value: lists in brackets are not supported');
    if (next === ':') throw this.#refuse('a meter reads one value: slices are not supported');
    throw this.#refuse('expected "]"');
  }

  #selector(): Selector {
    if (this.#takes('*')) return { kind: 'wildcard' };
    if (this.#takes('?')) return { kind: 'filter', condition: this.#or() };
    const name = this.#quoted();
    if (name !== undefined) return { kind: 'name', name };
    const index = this.#match(INDEX);
    if (index === undefined) throw this.#refuse('expected a quoted name, an index, "*" or "?"');
    return { kind: 'index', index: Number.parseInt(index, 10) };
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#takesAfterBlanks('||')) parts.push(this.#and());
    return parts.length === 1 ? (parts[0] as Condition) : { kind: 'or', parts };
  }

  #and(): Condition {
    const parts = [this.#basic()];
    while (this.#takesAfterBlanks('&&')) parts.push(this.#basic());
    return parts.length === 1 ? (parts[0] as Condition) : { kind: 'and', parts };
  }

  #basic(): Condition {
    this.#match(BLANKS);
    const isNot = this.#takes('!');
    this.#match(BLANKS);
    if (this.#takes('(')) {
      if (++this.#nesting > MAX_NESTING) throw this.#refuse(`conditions nest at most ${MAX_NESTING} levels`);
      const inner = this.#or();
      this.#nesting--;
      if (!this.#takesAfterBlanks(')')) throw this.#refuse('expected ")"');
      return isNot ? { kind: 'not', part: inner } : inner;
    }
    const left = this.#operand();
    this.#match(BLANKS);
    const operator = isNot ? undefined : (this.#match(OPERATOR) as Operator | undefined);
    if (operator !== undefined) {
      this.#match(BLANKS);
      return { kind: 'compare', operator, left, right: this.#operand() };
    }
    if (left.kind !== 'query') throw this.#refuse('expected a comparison');
    const exists: Condition = { kind: 'exists', query: left };
    return isNot ? { kind: 'not', part: exists } : exists;
  }

  #operand(): Operand {
    if (this.#takes('@')) return { kind: 'query', isRoot: false, steps: this.#steps() };
    if (this.#takes('$')) return { kind: 'query', isRoot: true, steps: this.#steps() };
    const text = this.#quoted();
    if (text !== undefined) return { kind: 'literal', value: text };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number };
    const word = this.#match(NAME);
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    if (word === 'null') return { kind: 'literal', value: null };
    if (word !== undefined && this.#text[this.#at] === '(') throw this.#refuse(`functions are not supported: ${word}`);
    throw this.#refuse('expected "@", "$", a quoted text, a number, true, false or null');
  }

  #steps(): (string | number)[] {
    const steps: (string | number)[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next !== '.' && next !== '[') return steps;
      const { isDescendant, selector } = this.#segment();
      if (isDescendant || (selector.kind !== 'name' && selector.kind !== 'index')) {
        throw this.#refuse('inside a filter, only names and indexes may follow "@" and "$"');
      }
      steps.push(selector.kind === 'name' ? selector.name : selector.index);
    }
  }

  #quoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote !== "'" && quote !== '"') return undefined;
    let text = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (char === quote) {
        this.#at++;
        return text;
      }
      if (char < ' ') break;
      text += char === '\\' ? this.#escape(quote) : char;
    }
    throw this.#refuse('a quoted text does not end');
  }

  #escape(quote: string): string {
    const char = this.#text[++this.#at] ?? '';
    if (char === quote || char === '\\' || char === '/') return char;
    const unicode =
      char === 'u' ? /^[0-9A-Fa-f]{4}/.exec(this.#text.slice(this.#at + 1, this.#at + 5))?.[0] : undefined;
    if (unicode !== undefined) {
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(unicode, 16));
    }
    const escaped = ESCAPES[char];
    if (escaped === undefined) throw this.#refuse('an escape that JSON does not have');
    return escaped;
  }

  #takes(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #takesAfterBlanks(token: string): boolean {
    this.#match(BLANKS);
    return this.#takes(token);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #refuse(reason: string): Error {
    return new Error(`is not a JSONPath that a meter can use: ${reason} at character ${this.#at + 1}`);
  }
}
