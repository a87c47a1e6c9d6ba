/** An invoice as a PDF of A4 pages. */
import pdfMake, { type PdfCell, type PdfContent } from 'pdfmake';
import roboto from 'pdfmake/fonts/Roboto.js';
import type { InvoiceContent, Row } from './content.ts';

const fontFiles: ReadonlySet<string> = new Set(Object.values(roboto).flatMap((font) => Object.values(font)));
pdfMake.setFonts(roboto);
// What customers are called goes into the document: it loads its fonts, and nothing else from anywhere.
pdfMake.setUrlAccessPolicy(() => false);
pdfMake.setLocalAccessPolicy((path) => fontFiles.has(path));

/** The bytes of the file. */
export function invoicePdf(content: InvoiceContent): Promise<Uint8Array> {
  return pdfMake
    .createPdf({
      pageSize: 'A4',
      info: { title: content.title },
      content: [
        { text: content.title, style: 'title', margin: [0, 0, 0, 16] },
        {
          columns: [party(content.supplier, undefined), party(content.customer, 'Bill to')],
          margin: [0, 0, 0, 16],
        },
        ...content.facts.map(([label, value]): PdfContent => ({ text: `${label}: ${value}` })),
        itemTable(content),
        ...(content.note === undefined ? [] : [{ text: content.note }]),
      ],
      styles: { title: { fontSize: 20, bold: true }, head: { bold: true }, small: { fontSize: 8, color: '#555555' } },
      defaultStyle: { fontSize: 10 },
    })
    .getBuffer();
}

function party(lines: readonly string[], heading: string | undefined): PdfContent {
  const stack: PdfContent[] = lines.map((text) => ({ text }));
  return { stack: heading === undefined ? stack : [{ text: heading, style: 'small' }, ...stack], width: '*' };
}

function itemTable({ rows, totals }: InvoiceContent): PdfContent {
  const right = (text: string, style?: string): PdfCell => ({
    text,
    alignment: 'right',
    ...(style !== undefined && { style }),
  });
  const head = [
    { text: 'Item', style: 'head' },
    ...['Quantity', 'Unit price', 'Amount'].map((text) => right(text, 'head')),
  ];
  const sums = totals.map(([label, value], index) => {
    const style = index === totals.length - 1 ? 'head' : undefined;
    return [{ ...right(label, style), colSpan: 3 }, { text: '' }, { text: '' }, right(value, style)];
  });
  return {
    table: { headerRows: 1, widths: ['*', 'auto', 'auto', 'auto'], body: [head, ...rows.map(itemRow), ...sums] },
    layout: 'lightHorizontalLines',
    margin: [0, 16, 0, 16],
  };
}

function itemRow({ name, detail, quantity, unitPrice, amount, isDetail }: Row): PdfCell[] {
  const text = detail === '' ? name : `${name}\n${detail}`;
  return [
    { text, margin: [isDetail ? 12 : 0, 0, 0, 0] },
    ...[quantity, unitPrice, amount].map((value): PdfCell => ({ text: value, alignment: 'right' })),
  ];
}
