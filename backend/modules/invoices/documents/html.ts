/** An invoice as a page of its own: nothing is loaded from elsewhere, and it prints on A4 and Letter. */
import type { InvoiceContent, Row } from './content.ts';

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}header{display:flex;justify-content:space-between;gap:2rem;margin-bottom:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}
table{width:100%;border-collapse:collapse;margin:2rem 0}th,td{padding:.4rem .5rem;text-align:left;vertical-align:top}
thead th,tfoot tr:last-child>*{border-bottom:2px solid #1a1a1a}td.n,th.n{text-align:right;white-space:nowrap}
tbody tr:not(.d)>td{border-top:1px solid #ddd}tr.d td:first-child{padding-left:1.5rem}small{color:#555}
tfoot th{text-align:right;font-weight:normal}tfoot tr:last-child>*{font-weight:bold}@media print{body{margin:0}}`;

/** @param locale for the language of the page's numbers and dates */
export function invoiceHtml(content: InvoiceContent, locale: string): string {
  const lines = (texts: readonly string[]) => texts.map(escapeHtml).join('<br>');
  const facts = content.facts
    .map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('');
  const totals = content.totals
    .map(
      ([label, value]) => `<tr><th colspan="3">${escapeHtml(label)}</th><td class="n">${escapeHtml(value)}</td></tr>`,
    )
    .join('');
  return `<!doctype html>
<html lang="en" data-locale="${escapeHtml(locale)}"><head><meta charset="utf-8"><title>${escapeHtml(content.title)}</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>
<h1>${escapeHtml(content.title)}</h1>
<header><address>${lines(content.supplier)}</address><address><small>Bill to</small><br>${lines(content.customer)}</address></header>
<dl>${facts}</dl>
<table><thead><tr><th>Item</th><th class="n">Quantity</th><th class="n">Unit price</th><th class="n">Amount</th></tr></thead>
<tbody>${content.rows.map(row).join('')}</tbody><tfoot>${totals}</tfoot></table>
${content.note === undefined ? '' : `<p>${escapeHtml(content.note)}</p>`}
</body></html>
`;
}

function row({ name, detail, quantity, unitPrice, amount, isDetail }: Row): string {
  const small = detail === '' ? '' : `<br><small>${escapeHtml(detail)}</small>`;
  const cells = [quantity, unitPrice, amount].map((text) => `<td class="n">${escapeHtml(text)}</td>`).join('');
  return `<tr${isDetail ? ' class="d"' : ''}><td>${escapeHtml(name)}${small}</td>${cells}</tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names come from customers: nothing in them may become a tag. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
}
