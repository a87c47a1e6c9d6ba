/** Names that a channel cannot give a value: they belong to HTTP, to the signature, or to a browser. */
const RESERVED =
  /^(?:host|content-length|content-type|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|cookie|proxy-.*|webhook-.*|svix-.*)$/i;
/** RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Visible characters and blanks between them: no line break, and nothing that has to be guessed at. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** All headers of a channel together: receivers refuse more. */
const MAX_BYTES = 8192;
const MAX_HEADERS = 32;

/** Why a channel cannot have these headers; undefined when it can. @returns the name it is about, if it is about one */
export function headersProblem(
  headers: Readonly<Record<string, string>>,
): { name?: string; problem: string } | undefined {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return { problem: `must have at most ${MAX_HEADERS} headers` };
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (!NAME.test(name)) return { name, problem: 'must be the name of a header' };
    if (RESERVED.test(name)) return { name, problem: 'is set by the sender, and cannot be given' };
    if (seen.has(name.toLowerCase())) return { name, problem: 'is given twice, in other letters' };
    if (!VALUE.test(value)) return { name, problem: 'must have a value of visible ASCII characters' };
    seen.add(name.toLowerCase());
  }
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return bytes > MAX_BYTES ? { problem: `must be ${MAX_BYTES} bytes at most` } : undefined;
}
