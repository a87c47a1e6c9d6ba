/** Runs of text as glyphs. HarfBuzz joins Arabic, orders the vowels of Indic scripts and places marks. */

import { Buffer, ClusterLevel, Direction, shape as harfBuzzShape } from 'harfbuzzjs';
import type { Face } from '../fonts/library.ts';
import { bidi } from './bidi.ts';

export interface Glyph {
  id: number;
  /** What it stands for, of the text, together with the glyphs that follow it with ''. */
  text: string;
  /** What it stands for alone, as far as that can be said. */
  sign: string;
  /** Where that begins in the text that is set. */
  start: number;
  /** In thousandths of an em. */
  advance: number;
  xOffset: number;
  yOffset: number;
}

export interface ShapedRun {
  face: Face;
  isRtl: boolean;
  /** From left to right. */
  glyphs: readonly Glyph[];
  /** In thousandths of an em. */
  width: number;
}

/** Marks that say where text runs to: they have done so when it is set. */
const DIRECTIONS = /^[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+$/;

const buffer = new Buffer();

/** @param text what stands around the run decides how its ends are joined @param run from where to where in the text */
export function shape(face: Face, text: string, run: { from: number; to: number; isRtl: boolean }): ShapedRun {
  const { from, to, isRtl } = run;
  buffer.reset();
  buffer.setClusterLevel(ClusterLevel.MONOTONE_CHARACTERS);
  buffer.addText(text, from, to - from);
  buffer.guessSegmentProperties();
  buffer.setDirection(isRtl ? Direction.RTL : Direction.LTR);
  harfBuzzShape(face.shaper, buffer);
  const scale = 1000 / face.unitsPerEm;
  const infos = buffer.getGlyphInfos();
  const positions = buffer.getGlyphPositions();
  const logical = textsOf(
    infos.map(({ cluster }) => cluster),
    text,
    to,
  );
  const texts = isRtl ? logical.map(mirrored) : logical;
  const signs = signsOf(
    face,
    infos.map(({ codepoint }, index) => ({ id: codepoint, text: texts[index] ?? '' })),
  );
  let width = 0;
  const glyphs = infos.flatMap(({ codepoint: id, cluster: start }, index): Glyph[] => {
    const { xAdvance = 0, xOffset = 0, yOffset = 0 } = positions[index] ?? {};
    const glyph = { id, start, text: texts[index] ?? '', sign: signs[index] ?? '', advance: xAdvance * scale };
    if (DIRECTIONS.test(glyph.text)) return [];
    width += glyph.advance;
    return [{ ...glyph, xOffset: xOffset * scale, yOffset: yOffset * scale }];
  });
  return { face, isRtl, glyphs, width };
}

/** From right to left an opening bracket looks like a closing one. */
function mirrored(text: string): string {
  return bidi.getMirroredCharacter(text) ?? text;
}

/** What each glyph stands for: from its beginning to that of the next glyphs. */
function textsOf(starts: readonly number[], text: string, to: number): string[] {
  const sorted = [...new Set(starts)].sort((a, b) => a - b);
  const ends = new Map(sorted.map((start, index) => [start, sorted[index + 1] ?? to]));
  return starts.map((start, index) => (starts[index - 1] === start ? '' : text.slice(start, ends.get(start))));
}

/** A glyph that is a character's own stands for that; the first of the others for the rest of what they are together. */
function signsOf(face: Face, glyphs: readonly { id: number; text: string }[]): string[] {
  const signs: string[] = [];
  for (let start = 0, end = 0; start < glyphs.length; start = end) {
    end = start + 1;
    while (glyphs[end]?.text === '') end++;
    const left = [...(glyphs[start]?.text ?? '')];
    if (end === start + 1) {
      signs.push(left.join(''));
      continue;
    }
    const own = glyphs.slice(start, end).map(({ id }) => {
      const at = left.findIndex((character) => face.shaper.nominalGlyph(character.codePointAt(0) ?? 0) === id);
      return at === -1 ? undefined : left.splice(at, 1)[0];
    });
    signs.push(...own.map((sign) => sign ?? left.splice(0).join('')));
  }
  return signs;
}
