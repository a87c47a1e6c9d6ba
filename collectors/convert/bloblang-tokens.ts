/** A piece of a Bloblang mapping, with the line that it stands in, from 1. */
export interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign' | 'newline' | 'end';
  readonly text: string;
  readonly line: number;
}

/** What the documented mappings do not use. */
export class Untranslatable extends Error {
  readonly line: number;

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.line = line;
  }
}

const PATTERNS: readonly (readonly [Token['kind'] | 'skip', RegExp])[] = [
  ['newline', /\r?\n/y],
  ['skip', /[ \t]+|#[^\n]*/y],
  ['text', /"(?:[^"\\\n]|\\.)*"/y],
  ['number', /-?\d+(?:\.\d+)?/y],
  ['name', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['sign', /[{}[\]():,.=|*/+@$-]/y],
];

/** @throws Untranslatable at the first character that no token begins with */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (let at = 0; at < source.length; ) {
    let length = 0;
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const text = pattern.exec(source)?.[0];
      if (text === undefined) continue;
      length = text.length;
      if (kind !== 'skip') tokens.push({ kind, text, line });
      if (kind === 'newline') line++;
      break;
    }
    if (length === 0) throw new Untranslatable(line, `"${source.slice(at, at + 20).split('\n', 1)[0]}" is not read`);
    at += length;
  }
  return [...tokens, { kind: 'end', text: '', line }];
}
