/** The UTF-8 bytes of one text, in a piece of memory that it shares with its neighbours. */
export interface Text {
  readonly chunk: Buffer;
  readonly start: number;
  readonly bytes: number;
}

/**
 * Keeps texts as the bytes that go to disk and over the wire. As strings, which the garbage collector moves about for as
 * long as an event waits and which are encoded for each use, they cost more than all else that becomes of an event.
 */
export interface Texts {
  /** @param bytes the UTF-8 length of the text */
  add(text: string, bytes: number): Text;
}

/**
 * Some hundred events. A chunk goes when nobody has any of its texts, and since events wait and leave in their order,
 * few chunks are kept by few texts.
 */
const CHUNK_BYTES = 64 * 1024;
/** A text that would waste the rest of a chunk has one of its own. */
const LARGE_BYTES = CHUNK_BYTES / 8;

const COMMA = 0x2c;
const OPENING = Buffer.from('[');
const CLOSING = Buffer.from(']');

export function createTexts(): Texts {
  let chunk = Buffer.alloc(0);
  let end = 0;
  return {
    add(text, bytes) {
      if (bytes > LARGE_BYTES) return { chunk: Buffer.from(`${text},`), start: 0, bytes };
      if (end + bytes >= chunk.length) {
        chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
        end = 0;
      }
      const start = end;
      chunk.write(text, start, 'utf8');
      // So that neighbours are one piece of an array.
      chunk[start + bytes] = COMMA;
      end = start + bytes + 1;
      return { chunk, start, bytes };
    },
  };
}

/** The JSON array of texts that are JSON each, in pieces: views of where they are, so that nothing is copied. */
export function arrayOf(texts: readonly Text[]): Buffer[] {
  const pieces: Buffer[] = [OPENING];
  for (let index = 0; index < texts.length; ) {
    const { chunk, start } = texts[index] as Text;
    let end = start;
    for (let text = texts[index]; text?.chunk === chunk && text.start === end; text = texts[++index]) {
      end += text.bytes + 1;
    }
    // The comma behind the last one is none of the array's.
    pieces.push(chunk.subarray(start, index === texts.length ? end - 1 : end));
  }
  pieces.push(CLOSING);
  return pieces;
}

export function stringOf({ chunk, start, bytes }: Text): string {
  return chunk.toString('utf8', start, start + bytes);
}
