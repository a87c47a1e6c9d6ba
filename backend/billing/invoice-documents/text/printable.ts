import { type ChooseFace, draws, type Face } from '../fonts/library.ts';

/** Letters with their marks, and the font that draws them. */
export interface Cluster {
  text: string;
  face: Face;
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
/** Signs and spaces of all scripts; digits look the same everywhere. */
const NEUTRAL = /^(?![0-9])[\p{Script=Common}\p{Script=Inherited}]/u;

/**
 * A line of text in clusters that can all be drawn: for a character that no font has its number stands in brackets.
 * @param onMissing told each such character
 */
export function printable(line: string, chooseFace: ChooseFace, onMissing: (codePoint: number) => void): Cluster[] {
  const clusters: Cluster[] = [];
  const add = (text: string): boolean => {
    const last = clusters.at(-1)?.face;
    // A blank between two words of a script does not part them, and brackets look like their letters.
    const canStay = last?.isOfScript === true && NEUTRAL.test(text) && [...text].every((sign) => draws(last, sign));
    const face = canStay ? last : chooseFace(text);
    if (face !== undefined) clusters.push({ text, face });
    return face !== undefined;
  };
  for (const { segment } of graphemes.segment(line)) {
    if (add(segment)) continue;
    // A letter may be known without its mark; what is left has its number printed.
    for (const character of segment) {
      if (add(character)) continue;
      const codePoint = character.codePointAt(0) ?? 0;
      onMissing(codePoint);
      for (const sign of numbered(codePoint)) add(sign);
    }
  }
  return clusters;
}

/** "[U+0378]", from left to right in whatever text. */
function numbered(codePoint: number): string {
  return `\u2066[U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}]\u2069`;
}
