import { requireAnswerRoom } from '../../platform/http/answer-room.ts';
import { streamAsTaken } from '../../platform/http/slow-client.ts';
import type { UsageRow } from '../usage-store/index.ts';

/** How an answer is written, row by row. */
export interface AnswerText {
  head: string;
  row(row: UsageRow): string;
  separator: string;
  tail: string;
}

export type AnswerBody = ReadableStream<Uint8Array> | string;

/** Writes an answer while its rows come. */
export interface AnswerWriter {
  /** Some thousand rows: their text is made at once, so that nothing else of them is kept. */
  write(rows: readonly UsageRow[]): void;
  /** A long answer is never one text: pieces go as the client takes them, and what it left goes with it. */
  end(): AnswerBody;
}

/** @throws RequestProblem 503 while clients have not taken what is ready for them */
export function startAnswer(text: AnswerText): AnswerWriter {
  requireAnswerRoom();
  const pieces: Uint8Array[] = [];
  let before = text.head;
  return {
    write(rows) {
      if (rows.length === 0) return;
      pieces.push(Buffer.from(before + rows.map(text.row).join(text.separator)));
      before = text.separator;
    },
    end() {
      if (pieces.length === 0) return text.head + text.tail;
      if (text.tail !== '') pieces.push(Buffer.from(text.tail));
      return pieces.length <= 2 ? Buffer.concat(pieces).toString() : streamOf(pieces);
    },
  };
}

function streamOf(pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  let left = pieces.reduce((bytes, piece) => bytes + piece.length, 0);
  return streamAsTaken({
    heldBytes: () => left,
    next() {
      const piece = pieces.shift();
      left -= piece?.length ?? 0;
      return { piece, isLast: pieces.length === 0 };
    },
    drop() {
      pieces.length = 0;
    },
  });
}
