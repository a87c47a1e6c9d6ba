/** An invoice as a PDF of A4 or Letter pages. */
import type { InvoiceContent } from '../content.ts';
import type { FontLibrary } from '../fonts/library.ts';
import type { Row } from '../rows.ts';
import type { TaxTable } from '../tax-table.ts';
import { linesOf, type TextStyle } from '../text/lines.ts';
import { filled } from '../words/index.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { type Cell, drawTable, type TableStyle } from './table.ts';

const MARGIN = 40;
/** Room at the foot of a page for two lines and a gap. */
const FOOTER = 30;
const SIZE = 10;
const SMALL = { size: 8, gray: 0.33 };
const TITLE_SIZE = 20;
const MARK_SIZE = 14;
const SPACE = 16;
const LOGO = { width: 160, height: 56 };

interface Paper {
  canvas: Canvas;
  width: number;
  style(size: number, isBold?: boolean): TextStyle;
  /** Texts below each other, on the next page where this one ends. @returns where the last ends */
  text(texts: readonly string[], box: TextBox, style: TextStyle, gray?: number): number;
}

interface TextBox {
  left: number;
  top: number;
  width: number;
  /** In the structure of the document; default "P". */
  type?: string;
}

/** @param onMissing told each character that no font has, and whose number is printed in its place @returns the file */
export async function invoicePdf(
  content: InvoiceContent,
  { fonts, onMissing }: { fonts: FontLibrary; onMissing(codePoint: number): void },
): Promise<Uint8Array> {
  const { languages } = content;
  const choosers = {
    regular: fonts.chooser({ languages, isBold: false }),
    bold: fonts.chooser({ languages, isBold: true }),
  };
  const style = (size: number, isBold = false): TextStyle => ({
    size,
    languages,
    onMissing,
    chooseFace: choosers[isBold ? 'bold' : 'regular'],
  });
  const canvas = createCanvas(content);
  const paper = { canvas, style, width: canvas.width - 2 * MARGIN, text: textWriter(canvas) };
  const tableStyle = { regular: style(SIZE), bold: style(SIZE, true), margin: MARGIN, footer: FOOTER };
  const top = drawTop(content, paper);
  let end = drawTable(canvas, { ...linesTable(content), top: top + SPACE }, tableStyle);
  if (content.taxes !== undefined) end = drawTaxes(content.taxes, end, paper, tableStyle);
  for (const { heading, text } of content.notes) {
    end += SPACE;
    const box = { left: MARGIN, width: paper.width };
    if (heading !== undefined) end = paper.text([heading], { ...box, top: end, type: 'H2' }, style(SIZE, true));
    end = paper.text([text], { ...box, top: end }, style(SIZE));
  }
  drawFooters(content, paper);
  return canvas.end();
}

/** @returns where it ends */
function drawTop(content: InvoiceContent, { canvas, width, style, text }: Paper): number {
  const regular = style(SIZE);
  const column = { left: MARGIN + width / 2 + SPACE / 2, width: width / 2 - SPACE / 2 };
  let top = MARGIN;
  if (content.logo !== undefined) {
    const bytes = Buffer.from(content.logo.slice(content.logo.indexOf(',') + 1), 'base64');
    const height = canvas.image(bytes, { x: MARGIN, y: top, ...LOGO });
    if (height > 0) top += height + SPACE;
  }
  top = text([content.title], { left: MARGIN, top, width, type: 'H1' }, style(TITLE_SIZE, true));
  if (content.mark !== undefined) top = text([content.mark], { left: MARGIN, top, width }, style(MARK_SIZE, true));
  top += SPACE;
  const supplierEnd = text(content.supplier, { left: MARGIN, top, width: column.width }, regular);
  const heading = text([content.words.billTo], { ...column, top }, style(SMALL.size), SMALL.gray);
  top = Math.max(supplierEnd, text(content.customer, { ...column, top: heading }, regular)) + SPACE;
  for (const [label, value] of content.facts) {
    const [prefix] = linesOf(`${label}: `, undefined, regular);
    const left = MARGIN + (prefix?.width ?? 0);
    const labelTop = top;
    canvas.part('P', () => {
      if (prefix !== undefined) canvas.line(prefix, { x: MARGIN, top: labelTop, size: SIZE });
    });
    top = text([value], { left, top, width: width - (prefix?.width ?? 0) }, regular);
  }
  return top;
}

function textWriter(canvas: Canvas): Paper['text'] {
  return (texts, box, style, gray) => {
    let { top } = box;
    for (const paragraph of texts) {
      canvas.part(box.type ?? 'P', () => {
        for (const line of linesOf(paragraph, box.width, style)) {
          if (top + line.ascent + line.descent > canvas.height - MARGIN - FOOTER) {
            canvas.addPage();
            top = MARGIN;
          }
          canvas.line(line, { x: box.left, top, size: style.size, ...(gray !== undefined && { gray }) });
          top += line.ascent + line.descent;
        }
      });
    }
    return top;
  };
}

/** What the operator wants there, the number of the document and that of the page. */
function drawFooters({ footer, words }: InvoiceContent, { canvas, width, style }: Paper): void {
  const small = style(SMALL.size);
  const top = canvas.height - MARGIN - FOOTER + SPACE;
  canvas.onEachPage((page, pages) => {
    const [number] = linesOf(filled(words.page, { page: `${page}`, pages: `${pages}` }), undefined, small);
    const numberWidth = number?.width ?? 0;
    const place = { top, size: SMALL.size, gray: SMALL.gray };
    if (number !== undefined) canvas.line(number, { ...place, x: MARGIN + width - numberWidth });
    let y = top;
    for (const line of linesOf(footer, width - numberWidth - SPACE, small).slice(0, MAX_FOOTER_LINES)) {
      canvas.line(line, { ...place, x: MARGIN, top: y });
      y += line.ascent + line.descent;
    }
  });
}

/** More would run out of the page. */
const MAX_FOOTER_LINES = 4;

function drawTaxes(taxes: TaxTable, end: number, { canvas }: Paper, style: TableStyle): number {
  const [rate, base, tax] = taxes.head;
  const head = [{ texts: [rate], isBold: true }, figure(base, true), figure(tax, true)];
  const tail = taxes.rows.map((row): Cell[] => {
    return [{ texts: [row.rate, ...row.details] }, figure(row.base), figure(row.tax)];
  });
  return drawTable(canvas, { head, rows: [], tail, top: end + SPACE }, style);
}

const figure = (text: string, isBold?: boolean): Cell => ({ texts: [text], isRight: true, isBold: isBold ?? false });

function linesTable({ words, rows, totals }: InvoiceContent) {
  const head: Cell[] = [
    { texts: [words.item], isBold: true },
    ...[words.quantity, words.unitPrice, words.amount].map((text) => figure(text, true)),
  ];
  return { head, rows: rows.map(rowCells), tail: totalCells(totals) };
}

function rowCells({ name, details, quantity, unitPrice, amount, isDetail }: Row): Cell[] {
  // Parts of a line of text keep their own directions.
  const detail = details.map((text) => `\u2068${text}\u2069`).join(' · ');
  const texts = detail === '' ? [name] : [name, detail];
  return [{ texts, indent: isDetail ? 12 : 0 }, ...[quantity, unitPrice, amount].map((text) => figure(text))];
}

function totalCells(totals: InvoiceContent['totals']): Cell[][] {
  return totals.map(([label, value], index) => {
    const isBold = index === totals.length - 1;
    return [{ ...figure(label, isBold), span: 3 }, figure(value, isBold)];
  });
}
