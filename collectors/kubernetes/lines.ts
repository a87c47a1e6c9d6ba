/** A line of a stream, or that one was too long and has been left out. */
export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' };

/**
 * Splits what comes into lines, holding at most one of them. What comes after the last line end is no line: the stream was cut
 * within it, and it will come again.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<readonly Line[]> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let isTooLong = false;
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      if (isTooLong) lines.push({ kind: 'too-long' });
      else if (bytes > 0) lines.push({ kind: 'line', text: Buffer.concat(held).toString('utf8') });
      held = [];
      bytes = 0;
      isTooLong = false;
    }
    take(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }

  function take(piece: Uint8Array): void {
    bytes += piece.length;
    if (bytes > maxBytes) {
      isTooLong = true;
      held = [];
    } else if (piece.length > 0) held.push(piece);
  }
}
