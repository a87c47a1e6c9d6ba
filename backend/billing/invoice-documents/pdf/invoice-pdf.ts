/** An invoice as a PDF of A4 pages. */
import type { InvoiceContent, Row } from '../content.ts';
import type { FontLibrary } from '../fonts/library.ts';
import { linesOf, type TextStyle } from '../text/lines.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { type Cell, drawTable } from './table.ts';

const MARGIN = 40;
const SIZE = 10;
const SMALL = { size: 8, gray: 0.33 };
const TITLE_SIZE = 20;
const SPACE = 16;

/** @param onMissing told each character that no font has, and whose number is printed in its place @returns the file */
export async function invoicePdf(
  content: InvoiceContent,
  { fonts, onMissing }: { fonts: FontLibrary; onMissing(codePoint: number): void },
): Promise<Uint8Array> {
  const { languages } = content;
  const style = (size: number, isBold = false): TextStyle => ({
    size,
    languages,
    onMissing,
    chooseFace: choosers[isBold ? 'bold' : 'regular'],
  });
  const choosers = {
    regular: fonts.chooser({ languages, isBold: false }),
    bold: fonts.chooser({ languages, isBold: true }),
  };
  const canvas = createCanvas({ title: content.title, createdAtMs: content.createdAtMs });
  const width = canvas.width - 2 * MARGIN;
  const column = { left: MARGIN + width / 2 + SPACE / 2, width: width / 2 - SPACE / 2 };
  const text = textWriter(canvas);
  const regular = style(SIZE);
  let top = text([content.title], { left: MARGIN, top: MARGIN, width }, style(TITLE_SIZE, true)) + SPACE;
  const supplierEnd = text(content.supplier, { left: MARGIN, top, width: column.width }, regular);
  const heading = text(['Bill to'], { ...column, top }, style(SMALL.size), SMALL.gray);
  top = Math.max(supplierEnd, text(content.customer, { ...column, top: heading }, regular)) + SPACE;
  for (const [label, value] of content.facts) {
    const [prefix] = linesOf(`${label}: `, undefined, regular);
    const left = MARGIN + (prefix?.width ?? 0);
    if (prefix !== undefined) canvas.line(prefix, { x: MARGIN, top, size: SIZE });
    top = text([value], { left, top, width: width - (prefix?.width ?? 0) }, regular);
  }
  const end = drawTable(
    canvas,
    { head: HEAD, rows: [...content.rows.map(rowCells), ...totalCells(content.totals)], top: top + SPACE },
    { regular, bold: style(SIZE, true), margin: MARGIN },
  );
  if (content.note !== undefined) text([content.note], { left: MARGIN, top: end + SPACE, width }, regular);
  return canvas.end();
}

/** Sets texts below each other, on the next page where this one ends. @returns where the last ends */
function textWriter(canvas: Canvas) {
  return (
    texts: readonly string[],
    box: { left: number; top: number; width: number },
    style: TextStyle,
    gray?: number,
  ): number => {
    let { top } = box;
    for (const line of texts.flatMap((text) => linesOf(text, box.width, style))) {
      if (top + line.ascent + line.descent > canvas.height - MARGIN) {
        canvas.addPage();
        top = MARGIN;
      }
      canvas.line(line, { x: box.left, top, size: style.size, ...(gray !== undefined && { gray }) });
      top += line.ascent + line.descent;
    }
    return top;
  };
}

const figure = (text: string, isBold?: boolean): Cell => ({ texts: [text], isRight: true, isBold: isBold ?? false });

const HEAD: readonly Cell[] = [
  { texts: ['Item'], isBold: true },
  ...['Quantity', 'Unit price', 'Amount'].map((text) => figure(text, true)),
];

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
