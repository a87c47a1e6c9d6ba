import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const PAGE = 'docs/what-can-be-lost.md';

/** A sentence, and the tests that it leads to. */
interface Claim {
  readonly sentence: string;
  readonly proofs: readonly { readonly file: string; readonly title: string }[];
}

/** Reads the page: a claim is a sentence, followed by ticks that are links to files with the title of a test as theirs. */
function claimsOf(text: string): { claims: Claim[]; rest: string } {
  const prose = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/^See also .*$/m, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const claim = /(?:^|\s)(?:- )?((?:(?!\[✓\]).)+?)((?: ?\[✓\]\([^)\s]+ "[^"]+"\))+)/g;
  const claims = [...prose.matchAll(claim)].map(([, sentence = '', ticks = '']) => ({
    sentence,
    proofs: [...ticks.matchAll(/\[✓\]\((\S+) "([^"]+)"\)/g)].map(([, path = '', title = '']) => ({
      file: join(dirname(PAGE), path),
      title,
    })),
  }));
  return { claims, rest: prose.replaceAll(claim, '').trim() };
}

const { claims, rest } = claimsOf(readFileSync(PAGE, 'utf8'));

/** Whether a file has a test, or a test of each of its cases, with this title; it may begin with a computed number. */
function hasTest(file: string, title: string): boolean {
  const source = readFileSync(file, 'utf8');
  return [`'${title}'`, `"${title}"`, `\`${title}\``, `} ${title}\``].some((literal) => source.includes(`${literal},`));
}

describe('the page about what can be lost', () => {
  test('every sentence leads to a test that exists and runs', () => {
    expect(claims.length).toBeGreaterThan(30);
    for (const { sentence, proofs } of claims) {
      expect(proofs.length, sentence).toBeGreaterThan(0);
      for (const { file, title } of proofs) {
        expect(existsSync(file), `${sentence} ${file}`).toBe(true);
        expect(hasTest(file, title), `${sentence} ${title}`).toBe(true);
        expect(readFileSync(file, 'utf8'), file).not.toMatch(/\b(?:test|describe|it)\.(?:skip|todo|only)\(/);
      }
    }
  });

  test('has nothing else than such sentences, each of which is one', () => {
    expect(rest).toBe('');
    for (const { sentence } of claims) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(sentence, 'a full stop within').not.toMatch(/\. [A-Z]/);
    }
  });

  test('speaks of what users ask for', () => {
    const text = readFileSync(PAGE, 'utf8');
    for (const word of ['20 ms', 'SIGTERM', 'killed', 'power', 'full', 'drop_oldest', 'flipped', 'reload', 'replay']) {
      expect(text).toContain(word);
    }
  });
});
