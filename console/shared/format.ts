import { digitsOf, isIsoCode } from './currency-digits.ts';

/**
 * An instant in the viewer's language: "21 Nov 2026, 10:15". UTC stands beside it as a title.
 * @param seconds whether they are told: where events follow each other closely
 * @param zone undefined: the viewer's
 */
export function formatInstant(at: string, seconds = false, zone?: string): string {
  const timeStyle = seconds ? 'medium' : 'short';
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle, timeZone: zone });
}

/** A day. @param zone undefined: the viewer's */
export function formatDate(at: string, zone?: string): string {
  return new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: zone });
}

/**
 * A period of billing by its first and its last day, in UTC as it is computed: the end itself is not in it. One of a day
 * is that day.
 */
export function formatPeriod(from: string, to: string): string {
  const last = new Date(Math.max(Date.parse(from), Date.parse(to) - 1)).toISOString();
  const days = [formatDate(from, 'UTC'), formatDate(last, 'UTC')];
  return [...new Set(days)].join(' – ');
}

/** What exact decimals are given to: formats take their text digit by digit, and never make a float of it. */
type DecimalText = Intl.StringNumericLiteral;

const formats = new Map<string, Intl.NumberFormat>();

/** Formats cost far more to make than to use. @param digits at least these are shown, and no more */
function numberFormat(digits: number, currency = ''): Intl.NumberFormat {
  const key = `${digits} ${currency}`;
  const places = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const style = currency === '' ? {} : { style: 'currency' as const, currency };
  const format = formats.get(key) ?? new Intl.NumberFormat(undefined, { ...style, ...places });
  formats.set(key, format);
  return format;
}

/** The most that formats take; nothing that is billed has more. */
const MAX_DIGITS = 100;
const placesOf = (value: string) => Math.min((value.split('.')[1] ?? '').length, MAX_DIGITS);

/**
 * A decimal string in the viewer's language, exact whatever its length, with the digits that it has.
 * @param value "1234567.890" → "1,234,567.890"; what is no number stays as it is
 */
export function formatDecimal(value: string): string {
  return isDecimal(value) ? numberFormat(placesOf(value)).format(value as DecimalText) : value;
}

/**
 * An amount in the viewer's language, as documents write it: "$1,234.50", "¥6,000". At least the digits that the
 * currency has, never fewer than given: prices for one unit may have more.
 */
export function formatMoney(amount: string, currency: string): string {
  const digits = Math.max(digitsOf(currency), placesOf(amount));
  if (!isDecimal(amount) || !isIsoCode(currency)) {
    return `${isDecimal(amount) ? numberFormat(digits).format(amount as DecimalText) : amount} ${currency}`;
  }
  return numberFormat(digits, currency).format(amount as DecimalText);
}

function isDecimal(value: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(value);
}

/** A whole number with what is counted: "1 event", "1,200 events". @param one its singular @param many where it is not with an "s" */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** "under a second", "4 s", "12 min", "3 h", "5 days". */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return 'under a second';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** "PT1H" → "1 hour", "P1M" → "1 month", "P2W" → "2 weeks". What it does not know stays as it is. */
export function formatDuration(iso: string): string {
  const match = /^P(?:(\d+)(Y|M|W|D)|T(\d+)(H|M|S))$/.exec(iso);
  if (match === null) return iso;
  const date: Record<string, string> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
  const time: Record<string, string> = { H: 'hour', M: 'minute', S: 'second' };
  const count = match[1] ?? match[3] ?? '';
  const unit = match[2] !== undefined ? date[match[2]] : time[match[4] ?? ''];
  return `${count} ${unit}${count === '1' ? '' : 's'}`;
}

/** "P1M" → "every month", "P2W" → "every 2 weeks". */
export function formatEvery(iso: string): string {
  return `every ${formatDuration(iso).replace(/^1 /, '')}`;
}

/**
 * A sentence of the server that explains an amount, with numbers and money as they stand elsewhere:
 * "4000 × 0.02 USD = 80 USD" → "4,000 × $0.02 = $80.00". Dates stay as they are.
 */
export function formatExplanation(sentence: string, currency: string): string {
  return sentence.replace(/(?<![\w.:-])(\d+(?:\.\d+)?)( [A-Z]\w*)?(?![\w:-])/g, (_all, number: string, unit = '') =>
    unit === ` ${currency}` ? formatMoney(number, currency) : formatDecimal(number) + unit,
  );
}

/** A field's path as people read it: "billing_address.postal_code" → "billing address › postal code". */
export function fieldInWords(path: string): string {
  return path
    .replace(/\.(\d+)/g, (_all, index: string) => ` ${Number.parseInt(index, 10) + 1}`)
    .replaceAll('_', ' ')
    .replaceAll('.', ' › ');
}

/** What is wrong with a field, with its place in words rather than its path. */
export function faultText({ field, message }: { field: string; message: string }): string {
  const fault = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  return field === '' ? fault : `${fieldInWords(field)}: ${fault}`;
}

/** A whole number that was typed. What is none goes as it is, so that the server says what is wrong. */
export function wholeNumberOf(text: string): number {
  return /^\d{1,15}$/.test(text.trim()) ? Number.parseInt(text, 10) : (text as unknown as number);
}

/** The object that a JSON text is; undefined when it is none. */
export function jsonObjectOf(text: string): Record<string, never> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, never>) : undefined;
  } catch {
    return undefined;
  }
}

/** The sum of decimal strings, exact. */
export function sumDecimals(values: readonly string[]): string {
  const digits = Math.max(0, ...values.map((value) => (value.split('.')[1] ?? '').length));
  const scaled = values.map((value) => {
    const [whole = '0', fraction = ''] = value.split('.');
    return BigInt(whole + fraction.padEnd(digits, '0'));
  });
  const sum = scaled.reduce((total, value) => total + value, 0n);
  const text = (sum < 0n ? -sum : sum).toString().padStart(digits + 1, '0');
  const cut = text.length - digits;
  const fraction = text.slice(cut).replace(/0+$/, '');
  return `${sum < 0n ? '-' : ''}${text.slice(0, cut)}${fraction === '' ? '' : `.${fraction}`}`;
}
