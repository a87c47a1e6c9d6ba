/** Pages of a PDF file on which lines of glyphs are set. */
import PDFDocument, { type EmbeddedFont, type StructureElement } from 'pdfkit';
import type { Face } from '../fonts/library.ts';
import type { Line } from '../text/lines.ts';
import type { Glyph, ShapedRun } from '../text/shape.ts';

export interface Canvas {
  /** In points, as are all numbers here; y grows downwards. */
  width: number;
  height: number;
  addPage(): void;
  /** @param top of the line, above its highest letters @param gray from 0, black */
  line(line: Line, at: { x: number; top: number; size: number; gray?: number }): void;
  rule(from: { x: number; y: number }, toX: number, thickness: number): void;
  /** A picture in a box, as large as it fits. @returns its height; 0 when it is none */
  image(bytes: Uint8Array, box: { x: number; y: number; width: number; height: number }): number;
  /** What is set meanwhile is this part of the document's structure: "H1", "P", "Table". May stand in another one. */
  part(type: string, set: () => void): void;
  /** A part of a part; what is not in one stays so. */
  cell(type: string, set: () => void): void;
  /** Done with each page at the end. @param page from 1 */
  onEachPage(set: (page: number, pages: number) => void): void;
  /** @returns the file; nothing can be added after it */
  end(): Promise<Uint8Array>;
}

export interface CanvasOptions {
  title: string;
  /** That the same content makes the same file. */
  createdAtMs: number;
  language: string;
  pageSize: 'A4' | 'letter';
  /** The page as in a mirror, but for its letters: what would stand on the left stands on the right. */
  isRtl: boolean;
}

export function createCanvas({ title, createdAtMs, language, pageSize, isRtl }: CanvasOptions): Canvas {
  const doc = new PDFDocument({
    size: pageSize === 'A4' ? 'A4' : 'LETTER',
    margin: 0,
    font: null,
    pdfVersion: '1.7',
    lang: language,
    tagged: true,
    bufferPages: true,
    displayTitle: true,
    autoFirstPage: true,
    info: { Title: title, CreationDate: new Date(createdAtMs) },
  });
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('data', (chunk) => chunks.push(chunk));
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  const structure = createStructure(doc);
  const embedded = new Map<Face, EmbeddedFont>();
  const embed = (face: Face): EmbeddedFont => {
    const known = embedded.get(face) ?? doc.registerFont(face.name, face.bytes).font(face.name)._font;
    embedded.set(face, known);
    doc.page.fonts[known.id] ??= known.ref();
    return known;
  };
  return {
    width: doc.page.width,
    height: doc.page.height,
    addPage: () => void doc.addPage(),
    line: ({ runs, ascent, width }, { x, top, size, gray = 0 }) => {
      let left = isRtl ? doc.page.width - x - width : x;
      const isMarked = structure.open();
      for (const run of runs) {
        const font = embed(run.face);
        doc.addContent(`BT ${gray} g /${font.id} ${size} Tf 1 0 0 -1 ${short(left)} ${short(top + ascent)} Tm`);
        doc.addContent(`${shown(run, font, size)} ET`);
        left += (run.width * size) / 1000;
      }
      if (isMarked) structure.close();
    },
    rule: ({ x, y }, toX, thickness) => {
      doc.addContent('/Artifact <</Type /Layout>> BDC');
      doc.addContent(`${thickness} w 0 G ${short(x)} ${short(y)} m ${short(toX)} ${short(y)} l S EMC`);
    },
    image: (bytes, box) => drawImage(doc, bytes, box, isRtl),
    part: structure.part,
    cell: structure.cell,
    onEachPage: (set) => {
      const { start, count } = doc.bufferedPageRange();
      for (let page = 1; page <= count; page++) {
        doc.switchToPage(start + page - 1);
        doc.markContent('Artifact', { type: 'Pagination' });
        set(page, count);
        doc.endMarkedContent();
      }
    },
    end: async () => {
      structure.end();
      doc.end();
      await ended;
      return Buffer.concat(chunks);
    },
  };
}

/** The order in which programs read the document. What is set outside of a part is for the eyes only. */
function createStructure(doc: PDFDocument) {
  const root = doc.struct('Document');
  doc.addStructure(root);
  const open: { type: string; element: StructureElement }[] = [];
  const part = (type: string, set: () => void) => {
    const element = doc.struct(type);
    (open.at(-1)?.element ?? root).add(element);
    open.push({ type, element });
    set();
    open.pop();
    element.end();
  };
  return {
    part,
    cell: (type: string, set: () => void) => (open.at(-1)?.type === 'TR' ? part(type, set) : set()),
    /** @returns whether what follows is in a part, until it is closed */
    open: (): boolean => {
      const last = open.at(-1);
      last?.element.add(doc.markStructureContent(last.type));
      return last !== undefined;
    },
    close: () => void doc.endMarkedContent(),
    end: () => root.end(),
  };
}

function drawImage(
  doc: PDFDocument,
  bytes: Uint8Array,
  box: { x: number; y: number; width: number; height: number },
  isRtl: boolean,
): number {
  let image: { width: number; height: number };
  try {
    image = doc.openImage(bytes);
  } catch {
    // Its first bytes were right, the others are not: an invoice without a picture is one too.
    return 0;
  }
  const scale = Math.min(box.width / image.width, box.height / image.height, 1);
  const [width, height] = [image.width * scale, image.height * scale];
  doc.markContent('Artifact', { type: 'Layout' });
  doc.image(image, isRtl ? doc.page.width - box.x - width : box.x, box.y, { width, height });
  doc.endMarkedContent();
  return height;
}

function short(value: number): string {
  return `${Math.round(value * 1000) / 1000}`;
}

/**
 * The operators that show a run. What its glyphs stand for is read from a table of the font, one text for each glyph;
 * where that is not the text here, as with letters that are one glyph together, the text itself stands beside the word.
 */
function shown({ glyphs, isRtl }: ShapedRun, font: EmbeddedFont, size: number): string {
  const parts: string[] = [];
  let open: string[] = [];
  let rise = 0;
  const flush = () => {
    if (open.length > 0) parts.push(`[${open.join('')}] TJ`);
    open = [];
  };
  const set = (glyph: Glyph, id: number) => {
    if (glyph.yOffset !== rise) {
      flush();
      rise = glyph.yOffset;
      parts.push(`${short((rise * size) / 1000)} Ts`);
    }
    const after = (font.widths[id] ?? 0) - glyph.advance + glyph.xOffset;
    open.push(moved(-glyph.xOffset), `<${id.toString(16).padStart(4, '0')}>`, moved(after));
  };
  for (const word of wordsOf(glyphs)) {
    const text = inSight(textOf(word), isRtl);
    const ids = word.map((glyph) => included(font, glyph, isRtl));
    const read = ids.map((id) => String.fromCodePoint(...(font.unicode[id] ?? []))).join('');
    const isPlain = read === text && word.every(({ xOffset, yOffset }) => xOffset === 0 && yOffset === 0);
    if (!isPlain) {
      flush();
      parts.push(`/Span <</ActualText <feff${utf16(text)}>>> BDC`);
    }
    for (const [index, glyph] of word.entries()) set(glyph, ids[index] ?? 0);
    if (!isPlain) {
      flush();
      parts.push('EMC');
    }
  }
  flush();
  return rise === 0 ? parts.join(' ') : `${parts.join(' ')} 0 Ts`;
}

/** To the left, in thousandths of an em. */
function moved(distance: number): string {
  return Math.abs(distance) < 0.01 ? '' : short(distance);
}

/** Glyphs from blank to blank, the blanks being words of their own. */
function wordsOf(glyphs: readonly Glyph[]): Glyph[][] {
  const words: Glyph[][] = [];
  let isBlank = true;
  for (const glyph of glyphs) {
    const wasBlank = isBlank;
    isBlank = glyph.text === ' ' || glyph.text === '\u00a0';
    if (isBlank || wasBlank) words.push([glyph]);
    else words.at(-1)?.push(glyph);
  }
  return words;
}

/** In the order of reading. */
function textOf(word: readonly Glyph[]): string {
  return [...word]
    .sort((a, b) => a.start - b.start)
    .map(({ text }) => text)
    .join('');
}

/** Readers take what they find to stand from left to right, and turn it around for scripts that do not. */
function inSight(text: string, isRtl: boolean): string {
  return isRtl ? [...text].reverse().join('') : text;
}

function utf16(text: string): string {
  return Buffer.from(text, 'utf16le').swap16().toString('hex');
}

/** @returns the number of the glyph in this file, where it now is */
function included(font: EmbeddedFont, { id, sign }: Glyph, isRtl: boolean): number {
  const own = font.subset.includeGlyph(id);
  font.widths[own] ??= (font.font.getGlyph(id).advanceWidth * 1000) / font.font.unitsPerEm;
  font.unicode[own] ??= Array.from(inSight(sign, isRtl), (character) => character.codePointAt(0) ?? 0);
  return own;
}
