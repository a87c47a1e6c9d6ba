/** Texts of any scripts and directions, in lines of a width. */

import type { ChooseFace, Face } from '../fonts/library.ts';
import { bidi } from './bidi.ts';
import { breaksOf } from './breaks.ts';
import { isPlain } from './plain.ts';
import { type Cluster, printable } from './printable.ts';
import { type ShapedRun, shape } from './shape.ts';

export interface Line {
  /** From left to right. */
  runs: readonly ShapedRun[];
  /** In points, as are the heights above and below the base line. */
  width: number;
  ascent: number;
  descent: number;
}

export interface TextStyle {
  chooseFace: ChooseFace;
  languages: readonly string[];
  /** In points. */
  size: number;
  onMissing(codePoint: number): void;
}

const LINE_ENDS = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** @param width in points; undefined: one line for each of the text */
export function linesOf(text: string, width: number | undefined, style: TextStyle): Line[] {
  return text.split(LINE_ENDS).flatMap((line) => {
    const paragraph = createParagraph(line.replaceAll('\t', ' '), style);
    const end = paragraph.text.length;
    const whole = paragraph.line(0, end);
    return width === undefined || whole.width <= width ? [whole] : wrapped(paragraph, width, style);
  });
}

interface Paragraph {
  text: string;
  /** Where letters end, rising. */
  boundaries(): number[];
  /** Of a part of the text. */
  line(from: number, to: number): Line;
}

function createParagraph(source: string, style: TextStyle): Paragraph {
  const text = source.normalize('NFC').toWellFormed();
  const face = isPlain(text) ? style.chooseFace('A') : undefined;
  if (face === undefined) return mixedParagraph(printable(text, style.chooseFace, style.onMissing), style);
  return {
    text,
    boundaries: () => Array.from(text, (_, index) => index + 1),
    line: (from, to) => measured([shape(face, text, { from, to, isRtl: false })], style.size),
  };
}

function mixedParagraph(clusters: readonly Cluster[], { size }: TextStyle): Paragraph {
  const text = clusters.map((cluster) => cluster.text).join('');
  const faces = clusters.flatMap(({ text: { length }, face }) => Array<Cluster['face']>(length).fill(face));
  const { levels } = bidi.getEmbeddingLevels(text, 'auto');
  const runsOf = (from: number, to: number) => {
    const runs: { face: Face; from: number; to: number; level: number }[] = [];
    for (let at = from; at < to; at++) {
      const last = runs.at(-1);
      const level = levels[at] ?? 0;
      const face = faces[at];
      if (last !== undefined && last.level === level && last.face === face) last.to = at + 1;
      else if (face !== undefined) runs.push({ face, from: at, to: at + 1, level });
    }
    return inSight(runs);
  };
  return {
    text,
    boundaries: () => {
      let at = 0;
      return clusters.map((cluster) => {
        at += cluster.text.length;
        return at;
      });
    },
    line: (from, to) => {
      const shaped = runsOf(from, to).map((run) => shape(run.face, text, { ...run, isRtl: run.level % 2 === 1 }));
      return measured(shaped, size);
    },
  };
}

/** From left to right: rule L2 of UAX #9, each sequence of a level or a higher one reversed. */
function inSight<Run extends { level: number }>(runs: readonly Run[]): Run[] {
  const ordered = [...runs];
  const highest = Math.max(0, ...runs.map(({ level }) => level));
  for (let level = highest; level > 0; level--) {
    for (let start = 0; start < ordered.length; start++) {
      let end = start;
      while ((ordered[end]?.level ?? -1) >= level) end++;
      ordered.splice(start, end - start, ...ordered.slice(start, end).reverse());
      start = Math.max(start, end);
    }
  }
  return ordered;
}

function measured(runs: readonly ShapedRun[], size: number): Line {
  const highest = (of: (run: ShapedRun) => number) => Math.max(1, ...runs.map(of)) * size;
  return {
    runs,
    width: runs.reduce((sum, run) => sum + run.width, 0) * (size / 1000),
    ascent: highest(({ face }) => face.ascent),
    descent: Math.max(0.25, ...runs.map(({ face }) => face.descent)) * size,
  };
}

/** As much in each line as fits; words that are longer than a line are parted between letters. */
function wrapped(paragraph: Paragraph, width: number, { languages }: TextStyle): Line[] {
  const { text } = paragraph;
  const lines: Line[] = [];
  const fits = (from: number, to: number) => paragraph.line(from, withoutBlanks(text, from, to)).width <= width;
  let start = 0;
  let end = 0;
  const close = () => {
    if (end > start) lines.push(paragraph.line(start, withoutBlanks(text, start, end)));
    start = end;
  };
  for (const next of breaksOf(text, languages)) {
    if (!fits(start, next)) close();
    if (!fits(start, next)) {
      const within = paragraph.boundaries().filter((boundary) => boundary > start && boundary < next);
      for (const boundary of within) {
        if (!fits(start, boundary)) close();
        end = boundary;
      }
      if (!fits(start, next)) close();
    }
    end = next;
  }
  close();
  return lines;
}

/** Blanks at the end of a line are not drawn. */
function withoutBlanks(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && text[end - 1] === ' ') end--;
  return end;
}
