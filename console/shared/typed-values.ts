/**
 * The values that a typed text holds: what stands between commas. A text that is known as a whole is one value, whatever
 * is in it.
 */
export function valuesOf(text: string, known: readonly string[]): string[] {
  const whole = text.trim();
  const parts = known.includes(whole) ? [whole] : whole.split(',').map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

/**
 * What of a text can be taken while one still types: all up to the last comma, unless it may become something known.
 * @returns the values, and what stays in the field
 */
export function takenOf(text: string, known: readonly string[]): { values: string[]; rest: string } {
  const comma = text.lastIndexOf(',');
  const mayBecome = known.some((value) => value.startsWith(text.trimStart()));
  if (comma === -1 || mayBecome) return { values: [], rest: text };
  return { values: valuesOf(text.slice(0, comma), known), rest: text.slice(comma + 1).trimStart() };
}
