/** Digits with a sign: what a spreadsheet reads as a number, and not as a formula. */
const NUMBER = /^-?\d+(?:\.\d+)?$/;
/** What spreadsheets take for the beginning of a formula, or skip before one. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * One line of CSV (RFC 4180), with its end. Names of customers and values of events are other people's texts: one that a
 * spreadsheet would compute gets an apostrophe before it, which spreadsheets take as "this is text".
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quote(defuse(cell))).join(',')}\n`;
}

function defuse(cell: string): string {
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
