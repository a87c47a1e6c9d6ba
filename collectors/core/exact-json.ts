/** Fifteen digits survive a double and back. */
const EXACT_DIGITS = 15;
/** Whether a text may have a number with more. In a string it costs a slower reading, no more. */
const LONG_NUMBER = /\d[\d.]{15}/;
const HUGE_EXPONENT = /\d[eE][+-]?\d{3}/;

/**
 * Reads JSON without losing digits: a number that a double cannot hold exactly as it stands comes as a text of its digits,
 * which meters read as well.
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  if (!LONG_NUMBER.test(text) && !HUGE_EXPONENT.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown);
}

function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  const [mantissa = '', exponent = '0'] = context.source.toLowerCase().split('e');
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  const isExact = digits.length <= EXACT_DIGITS && Math.abs(Number.parseInt(exponent, 10)) <= 300;
  return isExact ? value : context.source;
}
