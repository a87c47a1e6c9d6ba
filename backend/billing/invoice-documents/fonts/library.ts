/** Fonts, each opened when the first text needs it, and which of them draws a character. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Blob, Font, Face as HarfBuzzFace } from 'harfbuzzjs';
import { FACES, type FaceSource } from './faces.ts';
import { unpacked } from './woff.ts';

export interface Face {
  name: string;
  /** Of letters, not of pictures: blanks and signs beside them are taken from it too. */
  isOfScript: boolean;
  /** TrueType or OpenType. */
  bytes: Buffer;
  shaper: Font;
  unitsPerEm: number;
  /** Above and below the base line, both positive, in ems. */
  ascent: number;
  descent: number;
  has(codePoint: number): boolean;
}

/** What decides between faces that have the same character. */
export interface Wish {
  /** The most wanted first. */
  languages: readonly string[];
  isBold: boolean;
}

/** The first face that draws all characters of a text; undefined: none does. */
export type ChooseFace = (text: string) => Face | undefined;

export interface FontLibrary {
  /** For one document: what was chosen once is remembered. */
  chooser(wish: Wish): ChooseFace;
}

/** Joiners, marks of direction and the like: they are not drawn, and no font needs to have them. */
const NOT_DRAWN = /\p{Default_Ignorable_Code_Point}/u;

/** Files of the operator's folder that are looked at: more than all scripts have, and far from filling the memory. */
const MAX_OWN_FILES = 64;
const MAX_FILE_BYTES = 33_554_432;

/** @param folder with fonts of the operator's, asked for what no other font has */
export function createFontLibrary(folder: string | undefined, faces: readonly FaceSource[] = FACES): FontLibrary {
  const opened = new Map<FaceSource, Face | undefined>();
  const sources = [...faces, ...(folder === undefined ? [] : ownFaces(folder))];
  const faceOf = (source: FaceSource): Face | undefined => {
    if (!opened.has(source)) opened.set(source, source.path === undefined ? undefined : openFace(source, source.path));
    return opened.get(source);
  };
  return {
    chooser: (wish) => {
      const ordered = inOrder(sources, wish);
      const chosen = new Map<string, Face | undefined>();
      return (text) => {
        if (!chosen.has(text)) chosen.set(text, firstOf(ordered, text));
        return chosen.get(text);
      };
    },
  };

  function firstOf(ordered: readonly FaceSource[], text: string): Face | undefined {
    const drawn = [...text].filter((character) => !NOT_DRAWN.test(character));
    const isFor = ({ script }: FaceSource) =>
      script === undefined || drawn.length === 0 || drawn.some((character) => script.test(character));
    // What none has that is there for it may still be in another: the Chinese fonts have many signs.
    for (const candidates of [ordered.filter(isFor), ordered]) {
      for (const source of candidates) {
        const face = faceOf(source);
        if (face !== undefined && drawn.every((character) => draws(face, character))) return face;
      }
    }
    return undefined;
  }
}

/** @param character of one code point */
export function draws(face: Face, character: string): boolean {
  return NOT_DRAWN.test(character) || face.has(character.codePointAt(0) ?? 0);
}

/** Those of a wanted language come before the others of their kind. */
function inOrder(sources: readonly FaceSource[], { languages, isBold }: Wish): FaceSource[] {
  const rank = ({ languages: own }: FaceSource) => {
    const at = languages.findIndex((language) => own?.some((known) => writesLike(language, known)));
    return at === -1 ? languages.length : at;
  };
  const first = sources.findIndex((source) => source.languages !== undefined);
  const regional = sources.filter((source) => source.languages !== undefined).sort((a, b) => rank(a) - rank(b));
  const others = sources.filter((source) => source.languages === undefined && (isBold || source.isBold === undefined));
  const before = others.filter((source) => sources.indexOf(source) < first);
  return [...before, ...regional, ...others.slice(before.length)];
}

/** "zh-TW" and "zh-HK" write like "zh-Hant", "zh" and "zh-SG" do not. */
function writesLike(language: string, known: string): boolean {
  const { language: name, script } = new Intl.Locale(language).maximize();
  const wanted = new Intl.Locale(known).maximize();
  return name === wanted.language && (name !== 'zh' || script === wanted.script);
}

function openFace({ name, script }: FaceSource, path: string): Face | undefined {
  const bytes = unpacked(readFileSync(path));
  const face = new HarfBuzzFace(new Blob(bytes));
  const shaper = new Font(face);
  const { ascender, descender } = shaper.hExtents();
  const unitsPerEm = face.upem;
  return {
    name,
    isOfScript: script !== undefined,
    bytes,
    shaper,
    unitsPerEm,
    ascent: ascender / unitsPerEm,
    descent: -descender / unitsPerEm,
    // 0 is the box for what a font does not have.
    has: (codePoint) => (shaper.nominalGlyph(codePoint) ?? 0) !== 0,
  };
}

function ownFaces(folder: string): FaceSource[] {
  return readdirSync(folder)
    .sort()
    .filter((file) => ['.ttf', '.otf', '.woff'].includes(extname(file).toLowerCase()))
    .map((file) => ({ name: `own-${file}`, path: join(folder, file) }))
    .filter(({ path }) => isFont(path))
    .slice(0, MAX_OWN_FILES);
}

const BEGINNINGS: readonly string[] = ['\0\u0001\0\0', 'OTTO', 'true', 'wOFF'];

function isFont(path: string): boolean {
  const { size } = statSync(path);
  return size <= MAX_FILE_BYTES && BEGINNINGS.includes(readFileSync(path).subarray(0, 4).toString('latin1'));
}
