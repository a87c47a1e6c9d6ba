/** An invoice as a page of its own: nothing is loaded from elsewhere, and it prints on A4 and Letter. */
import { html } from 'hono/html';
import type { InvoiceContent, Row } from './content.ts';
import type { FontLibrary } from './fonts/library.ts';
import { pageFonts, showable } from './html-fonts.ts';
import { isPlain } from './text/plain.ts';

const STYLE = `h1{font-size:1.6rem}address{font-style:normal}header{display:flex;justify-content:space-between;gap:2rem;margin-bottom:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}
header>*{min-width:0;overflow-wrap:anywhere}td:first-child{overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin:2rem 0}th,td{padding:.4rem .5rem;text-align:left;vertical-align:top}
thead th,tfoot tr:last-child>*{border-bottom:2px solid #1a1a1a}td.n,th.n{text-align:right;white-space:nowrap}
tbody tr:not(.d)>td{border-top:1px solid #ddd}tr.d td:first-child{padding-left:1.5rem}small{color:#555}
tfoot th{text-align:right;font-weight:normal}tfoot tr:last-child>*{font-weight:bold}@media print{body{margin:0}}`;

export interface HtmlOptions {
  /** For the language of the page's numbers and dates. */
  locale: string;
  fonts: FontLibrary;
  /** Told each character that nothing can show, and whose number is printed in its place. */
  onMissing(codePoint: number): void;
}

export function invoiceHtml(content: InvoiceContent, { locale, fonts, onMissing }: HtmlOptions): string {
  const text = (source: string) => markedUp(showable(source, onMissing));
  const lines = (texts: readonly string[]) => texts.map(text).join('<br>');
  const facts = content.facts.map(([label, value]) => `<dt>${text(label)}</dt><dd>${text(value)}</dd>`).join('');
  const totals = content.totals
    .map(([label, value]) => `<tr><th colspan="3">${text(label)}</th><td class="n">${text(value)}</td></tr>`)
    .join('');
  const { rules, families } = pageFonts(textsOf(content), fonts.chooser({ ...content, isBold: false }));
  const family = ['system-ui', ...families, 'sans-serif'].join(',');
  const body = `body{font:14px/1.5 ${family};color:#1a1a1a;max-width:52rem;margin:2rem auto;padding:0 1rem}`;
  const customersLanguage = escapeHtml(content.languages.at(-1) ?? 'en');
  return `<!doctype html>
<html lang="en" data-locale="${escapeHtml(locale)}"><head><meta charset="utf-8"><title>${escapeHtml(content.title)}</title>
<meta name="viewport" content="width=device-width"><style>${rules}${body}
${STYLE}</style></head><body>
<h1>${text(content.title)}</h1>
<header><address>${lines(content.supplier)}</address>
<address><small>Bill to</small><br><span lang="${customersLanguage}">${lines(content.customer)}</span></address></header>
<dl>${facts}</dl>
<table><thead><tr><th>Item</th><th class="n">Quantity</th><th class="n">Unit price</th><th class="n">Amount</th></tr></thead>
<tbody>${content.rows.map((row) => tableRow(row, text)).join('')}</tbody><tfoot>${totals}</tfoot></table>
${content.note === undefined ? '' : `<p dir="auto">${text(content.note)}</p>`}
</body></html>
`;
}

function* textsOf({ title, supplier, customer, facts, rows, totals, note }: InvoiceContent): Generator<string> {
  yield* [title, ...supplier, ...customer, ...facts.flat(), ...totals.flat(), note ?? ''];
  for (const { name, details, quantity, unitPrice, amount } of rows)
    yield* [name, ...details, quantity, unitPrice, amount];
}

function tableRow(row: Row, text: (source: string) => string): string {
  const { name, details, quantity, unitPrice, amount, isDetail } = row;
  const small = details.length === 0 ? '' : `<br><small>${details.map(text).join(' · ')}</small>`;
  const cells = [quantity, unitPrice, amount].map((figure) => `<td class="n">${text(figure)}</td>`).join('');
  return `<tr${isDetail ? ' class="d"' : ''}><td>${text(name)}${small}</td>${cells}</tr>`;
}

/** What may run from right to left stays by itself, and does not carry what stands beside it along. */
function markedUp(text: string): string {
  return isPlain(text) ? escapeHtml(text) : `<bdi>${escapeHtml(text)}</bdi>`;
}

/** Names come from customers: nothing in them may become a tag. */
function escapeHtml(text: string): string {
  return html`${text}`.toString();
}
