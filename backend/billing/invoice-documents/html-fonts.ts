/** Fonts for what a page says: its reader's machine may have none for a script, and shows boxes then. */
import type { ChooseFace, Face } from './fonts/library.ts';
import { subsetOf } from './fonts/subset.ts';
import { isPlain } from './text/plain.ts';
import { type Cluster, printable } from './text/printable.ts';

export interface PageFonts {
  /** Rules of CSS that bring the fonts along, '' when none is needed. */
  rules: string;
  /** Their names, to stand between the reader's own font and whatever else there is. */
  families: readonly string[];
}

/** Browsers take letters apart or put them together to draw them, and look for the parts in the font. */
const FORMS = ['NFC', 'NFD', 'NFKD'];

/** @param texts all texts of the page */
export function pageFonts(texts: Iterable<string>, chooseFace: ChooseFace): PageFonts {
  const needed = new Map<Face, Set<number>>();
  for (const text of texts) {
    if (isPlain(text)) continue;
    for (const cluster of printable(text, chooseFace, () => undefined)) {
      if (isPlain(cluster.text) || !hasPicture(cluster)) continue;
      const ofFace = needed.get(cluster.face) ?? new Set();
      for (const form of FORMS) {
        for (const character of cluster.text.normalize(form)) ofFace.add(character.codePointAt(0) ?? 0);
      }
      needed.set(cluster.face, ofFace);
    }
  }
  const fonts = [...needed].map(([face, codePoints], index) => {
    const data = subsetOf(face.bytes, codePoints).toString('base64');
    const family = `d${index}`;
    return { family, rule: `@font-face{font-family:${family};src:url(data:font/ttf;base64,${data})}` };
  });
  return { rules: fonts.map(({ rule }) => rule).join('\n'), families: fonts.map(({ family }) => family) };
}

/** Marks of direction alone need no font. */
function hasPicture({ text, face }: Cluster): boolean {
  return [...text].some((character) => face.has(character.codePointAt(0) ?? 0));
}

/** What no font can have, as its number: unassigned and private characters, and control codes but line ends. */
const NEVER_DRAWN = /[\p{Cn}\p{Co}\p{Cs}]|[\p{Cc}--[\t\n\r]]/gv;

/** @param onMissing told each of these */
export function showable(text: string, onMissing: (codePoint: number) => void): string {
  return text.toWellFormed().replace(NEVER_DRAWN, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    onMissing(codePoint);
    return `[U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}
