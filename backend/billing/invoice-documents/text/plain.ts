/** Letters and signs of western Europe, each drawn alone and from left to right: most of an invoice. */
const PLAIN = /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u017f\u2010-\u2027\u202f-\u205e\u20a0-\u20bf]*$/;

/** Whether any font has the text, and no rule of joining or of direction concerns it. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}
