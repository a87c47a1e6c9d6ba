/** JSON without what a double cannot hold: a number that it would change stays as it was written. */

/** A number literal kept as written; JSON.stringify writes it back digit by digit. */
export interface ExactNumber {
  readonly rawJSON: string;
}

// In V8 since version 11.4; the TypeScript library does not know them yet.
const exactJson = JSON as typeof JSON & {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
};

/** A plain number where it is the same, else the literal. @param literal as JSON writes numbers */
export function exactNumber(literal: string): number | ExactNumber {
  const number = Number(literal);
  return String(number) === literal ? number : exactJson.rawJSON(literal);
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return exactJson.isRawJSON(value);
}

/** @throws SyntaxError when the text is no JSON */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? exactNumber(context.source) : value,
  );
}

/** Decimal text in its shortest form: "1.50" is "1.5", "-0" is "0". @param text digits with at most one point */
export function shortestDecimal(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = text.slice(sign.length).split('.');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const places = fraction.replace(/0+$/, '');
  const shortest = places === '' ? digits : `${digits}.${places}`;
  return shortest === '0' ? '0' : `${sign}${shortest}`;
}

/** The decimal text of a number, without an exponent: 1e-7 is "0.0000001". */
export function decimalTextOf(value: number | ExactNumber): string {
  const text = typeof value === 'number' ? String(value) : value.rawJSON;
  const parts = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = parts;
  const exponent = Number.parseInt(exponentText, 10);
  // Larger ones than a double has come from nowhere; they would be texts of any length.
  if (Math.abs(exponent) > 400) return text;
  const digits = `${whole}${fraction}`
    .padStart(-exponent + fraction.length + 1, '0')
    .padEnd(whole.length + exponent, '0');
  const point = digits.length - Math.max(0, fraction.length - exponent);
  return `${sign}${digits.slice(0, point)}${point < digits.length ? `.${digits.slice(point)}` : ''}`;
}
