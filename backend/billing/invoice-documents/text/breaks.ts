import LineBreaker from 'linebreak';

/** Scripts that are written without blanks between words, and without signs that the rules of line breaking know. */
const NEEDS_WORDS = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Where a line of text may go on below, rising; the last is its end. By UAX #14, and by words where it leaves that open. */
export function breaksOf(text: string, languages: readonly string[]): number[] {
  const breaks = new Set<number>();
  const breaker = new LineBreaker(text);
  for (let next = breaker.nextBreak(); next !== null; next = breaker.nextBreak()) breaks.add(next.position);
  if (NEEDS_WORDS.test(text)) {
    const words = new Intl.Segmenter([...languages], { granularity: 'word' });
    for (const { index, segment } of words.segment(text)) if (index > 0 && NEEDS_WORDS.test(segment)) breaks.add(index);
  }
  return [...breaks.add(text.length)].sort((a, b) => a - b);
}
