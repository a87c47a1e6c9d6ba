import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { UsageRow } from '../../usage-store/index.ts';

/** How an answer is written, row by row. */
export interface AnswerText {
  head: string;
  row(row: UsageRow): string;
  separator: string;
  tail: string;
}

/** A few milliseconds' work, some 200 KB. */
const PIECE_ROWS = 1000;

/** One answer after the other: of those that wait, rows are held, which take several times the memory of their text. */
const writing = new PQueue({ concurrency: 1 });

/**
 * Writes an answer in pieces of bytes, and lets others have their turn between two. A long answer is never one text, nor
 * are its rows kept until a slow client has taken it: pieces go as the client takes them, and what it left goes with it.
 * @throws where the client has gone meanwhile
 */
export async function answerStream(
  rows: readonly UsageRow[],
  text: AnswerText,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | string> {
  if (rows.length <= PIECE_ROWS) return text.head + rows.map(text.row).join(text.separator) + text.tail;
  const pieces = await writing.add(() => inPieces(rows, text, signal));
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) controller.enqueue(piece);
      if (pieces.length === 0) controller.close();
    },
    cancel() {
      pieces.length = 0;
    },
  });
}

async function inPieces(rows: readonly UsageRow[], text: AnswerText, signal: AbortSignal): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < rows.length; start += PIECE_ROWS) {
    await nextTurn();
    signal.throwIfAborted();
    const before = start === 0 ? text.head : text.separator;
    const isLast = start + PIECE_ROWS >= rows.length;
    const lines = rows.slice(start, start + PIECE_ROWS).map(text.row);
    pieces.push(Buffer.from(before + lines.join(text.separator) + (isLast ? text.tail : '')));
  }
  return pieces;
}
