/** An invoice as a page of its own: nothing is loaded from elsewhere, and it prints on A4 and Letter. */
import { html } from 'hono/html';
import type { InvoiceContent } from './content.ts';
import type { FontLibrary } from './fonts/library.ts';
import { pageFonts, showable } from './html-fonts.ts';
import type { Row } from './rows.ts';
import { isPlain } from './text/plain.ts';

const STYLE = `h1{font-size:1.6rem}address{font-style:normal}header{display:flex;justify-content:space-between;gap:2rem;margin-bottom:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}
header>*{min-width:0;overflow-wrap:anywhere}td:first-child{overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin:2rem 0}th,td{padding:.4rem .5rem;text-align:start;vertical-align:top}
thead th,tfoot tr:last-child>*{border-bottom:2px solid #1a1a1a}td.n,th.n{text-align:end;white-space:nowrap}
tbody tr:not(.d)>td{border-top:1px solid #ddd}tr.d td:first-child{padding-inline-start:1.5rem}small{color:#555}
h2{font-size:1rem;margin:1.5rem 0 .2rem}.mark{font-weight:bold;font-size:1.2rem;color:#a00}.logo{max-height:4rem;max-width:14rem;display:block}
footer{margin-top:2rem;color:#555;font-size:.85rem}tfoot{break-inside:avoid}tr{break-inside:avoid}
tfoot th{text-align:end;font-weight:normal}tfoot tr:last-child>*{font-weight:bold}@media print{body{margin:0}}`;

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
  const { words } = content;
  const mark = content.mark === undefined ? '' : `<p class="mark">${text(content.mark)}</p>`;
  const logo = content.logo === undefined ? '' : `<img class="logo" alt="" src="${escapeHtml(content.logo)}">`;
  const notes = content.notes.map(({ heading, text: note }) => noteOf(heading, note, text)).join('\n');
  const customersLanguage = escapeHtml(content.languages.at(-1) ?? 'en');
  return `<!doctype html>
<html lang="${content.language}"${content.isRtl ? ' dir="rtl"' : ''} data-locale="${escapeHtml(locale)}"><head><meta charset="utf-8"><title>${escapeHtml(content.title)}</title>
<meta name="viewport" content="width=device-width"><style>${rules}${body}
${STYLE}</style></head><body>
${logo}<h1>${text(content.title)}</h1>
${mark}
<header><address>${lines(content.supplier)}</address>
<address><small>${text(words.billTo)}</small><br><span lang="${customersLanguage}">${lines(content.customer)}</span></address></header>
<dl>${facts}</dl>
<table><thead><tr><th>${text(words.item)}</th><th class="n">${text(words.quantity)}</th><th class="n">${text(words.unitPrice)}</th><th class="n">${text(words.amount)}</th></tr></thead>
<tbody>${content.rows.map((row) => tableRow(row, text)).join('')}</tbody><tfoot>${totals}</tfoot></table>
${taxTable(content.taxes, text)}
${notes}
<footer>${text(content.footer)}</footer>
</body></html>
`;
}

function noteOf(heading: string | undefined, note: string, text: (source: string) => string): string {
  const head = heading === undefined ? '' : `<h2>${text(heading)}</h2>`;
  const lines = note
    .split(/\r\n|\n/)
    .map(text)
    .join('<br>');
  return `${head}<p dir="auto">${lines}</p>`;
}

function taxTable(taxes: InvoiceContent['taxes'], text: (source: string) => string): string {
  if (taxes === undefined) return '';
  const [rate, base, tax] = taxes.head.map(text);
  const rows = taxes.rows.map((row) => {
    const small = row.details.length === 0 ? '' : `<br><small>${row.details.map(text).join(' · ')}</small>`;
    return `<tr><td>${text(row.rate)}${small}</td><td class="n">${text(row.base)}</td><td class="n">${text(row.tax)}</td></tr>`;
  });
  return `<table class="taxes"><thead><tr><th>${rate}</th><th class="n">${base}</th><th class="n">${tax}</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>`;
}

/** Everything that is shown, for the fonts that it needs. */
function* textsOf(content: InvoiceContent): Generator<string> {
  const { title, mark, supplier, customer, facts, rows, totals, taxes, notes, footer, words } = content;
  yield* [title, mark ?? '', ...supplier, ...customer, ...facts.flat(), ...totals.flat(), footer];
  yield* [words.billTo, words.item, words.quantity, words.unitPrice, words.amount, ...(taxes?.head ?? [])];
  for (const { heading, text } of notes) yield* [heading ?? '', text];
  for (const { rate, details, base, tax } of taxes?.rows ?? []) yield* [rate, ...details, base, tax];
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
