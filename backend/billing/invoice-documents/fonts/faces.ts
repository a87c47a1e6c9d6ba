/** The fonts that documents are set in, and what each is there for. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface FaceSource {
  name: string;
  /** A TrueType, OpenType or WOFF file; undefined: its package is not installed. */
  path: string | undefined;
  /** Characters that it is asked for; undefined: whatever nobody else has. */
  script?: RegExp;
  /** For headings only. */
  isBold?: true;
  /** Of fonts that draw the same characters in the manner of a country: the languages that write so. */
  languages?: readonly string[];
}

/** Scripts that have a font of their own, by their names in Unicode. */
const SCRIPTS = [
  ...[
    'Adlam',
    'Armenian',
    'Bengali',
    'Canadian_Aboriginal',
    'Cherokee',
    'Ethiopic',
    'Georgian',
    'Gujarati',
    'Gurmukhi',
  ],
  ...['Kannada', 'Khmer', 'Lao', 'Malayalam', 'Meetei_Mayek', 'Mongolian', 'Myanmar', 'Nko', 'Ol_Chiki', 'Oriya'],
  ...['Sinhala', 'Syriac', 'Tamil', 'Telugu', 'Thaana', 'Thai', 'Tibetan', 'Tifinagh'],
];

const EAST_ASIAN =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\u3000-\u303f\u3200-\u33ff\ufe30-\ufe4f\uff00-\uffef]/u;

/** The font of emoji comes in pieces. */
const EMOJI_PIECES = ['emoji', ...Array.from({ length: 11 }, (_, piece) => `${piece}`)];

/** In the order in which they are asked for a character. */
export const FACES: readonly FaceSource[] = [
  // One file for two scripts, but a run of text is shaped by the rules of one.
  { name: 'latin-bold', path: whole('latin', 'NotoSans-Bold.ttf'), script: /[^\p{scx=Devanagari}]/u, isBold: true },
  { name: 'latin', path: whole('latin', 'NotoSans-Regular.ttf'), script: /[^\p{scx=Devanagari}]/u },
  { name: 'devanagari', path: whole('latin', 'NotoSans-Regular.ttf'), script: /\p{scx=Devanagari}/u },
  { name: 'arabic', path: whole('arabic', 'NotoNaskhArabic-Regular.ttf'), script: /\p{scx=Arabic}/u },
  { name: 'hebrew', path: whole('hebrew', 'NotoSansHebrew-Regular.ttf'), script: /\p{scx=Hebrew}/u },
  ...SCRIPTS.map(ofScript),
  // The first of these has every Chinese character of Unicode's basic plane, the others those of their countries.
  eastAsian('chinese-simplified', 'sc', 'NotoSansHans-Regular.otf', ['zh']),
  eastAsian('chinese-traditional', 'tc', 'NotoSansHant-Regular.otf', ['zh-Hant']),
  eastAsian('japanese', 'jp', 'NotoSansJP-Regular.otf', ['ja']),
  eastAsian('korean', 'kr', 'NotoSansKR-Regular.otf', ['ko']),
  ...['symbols', 'symbols-2'].map((name) => ({ name, path: part(`noto-sans-${name}`, 'symbols') })),
  ...EMOJI_PIECES.map((piece) => ({ name: `emoji-${piece}`, path: part('noto-emoji', piece) })),
];

function ofScript(script: string): FaceSource {
  const name = script.toLowerCase().replace('_', '-');
  const family = `noto-${script === 'Tibetan' ? 'serif' : 'sans'}-${name}`;
  return { name, path: part(family, name), script: new RegExp(`\\p{scx=${script}}`, 'u') };
}

function eastAsian(name: string, region: string, file: string, languages: readonly string[]): FaceSource {
  return { name, path: whole(region, file), script: EAST_ASIAN, languages };
}

/** A font in one file; its package exports nothing but a list. */
function whole(name: string, file: string): string | undefined {
  const list = installed(`@embedpdf/fonts-${name}`);
  return list === undefined ? undefined : join(dirname(dirname(list)), 'fonts', file);
}

/** A font that is one of the files of its package. */
function part(family: string, subset: string): string | undefined {
  return installed(`@fontsource/${family}/files/${family}-${subset}-400-normal.woff`);
}

function installed(path: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(path);
  } catch {
    return undefined;
  }
}
