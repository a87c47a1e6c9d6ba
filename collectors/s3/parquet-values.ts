/** Whole numbers of so many digits survive a double. */
const EXACT_DIGITS = 15;
/** Of a number, an instant or nothing. */
const SCALAR_BYTES = 8;

/** A value of a Parquet row as JSON has it: see rowsOfParquet. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const text = value.toString();
    return text.length <= EXACT_DIGITS ? Number.parseInt(text, 10) : text;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** Nearly the bytes of a value; looks no further once it is more than `most`. */
export function sizeOf(value: unknown, most: number): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null || value instanceof Date) return SCALAR_BYTES;
  let size = 0;
  for (const [key, item] of Object.entries(value)) {
    size += key.length + sizeOf(item, most - size);
    if (size > most) break;
  }
  return size;
}
