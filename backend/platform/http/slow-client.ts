import { holdAnswer } from './answer-room.ts';

/** A client that takes nothing of its answer for so long is left. */
const IDLE_MS = 60_000;

/** What an answer is made of, as the client takes it. */
export interface TakenPieces {
  /** What is held in memory for the client; asked at the beginning and after each piece. */
  heldBytes(): number;
  /** The next piece; undefined where there is none to send any more. After the last one it is not asked again. */
  next(): TakenPiece | Promise<TakenPiece>;
  /** The client has gone, or was left: nothing needs to be held for it. */
  drop(): void;
}

export interface TakenPiece {
  piece?: Uint8Array | undefined;
  isLast: boolean;
}

/** A body that is made as the client takes it; what it is made of is held as long, so one that takes nothing is left. */
export function streamAsTaken(pieces: TakenPieces): ReadableStream<Uint8Array> {
  let idle: NodeJS.Timeout | undefined;
  let isOver = false;
  const hold = holdAnswer(pieces.heldBytes());
  const end = (): void => {
    isOver = true;
    clearTimeout(idle);
    hold(0);
  };
  const drop = (): void => {
    end();
    pieces.drop();
  };
  return new ReadableStream({
    start(controller) {
      idle = setTimeout(() => {
        drop();
        controller.error(new Error('the client took nothing of the answer for a minute'));
      }, IDLE_MS);
      idle.unref();
    },
    async pull(controller) {
      idle?.refresh();
      const { piece, isLast } = await pieces.next();
      // Left, or gone, while the piece was made.
      if (isOver) return;
      if (piece !== undefined) controller.enqueue(piece);
      if (!isLast) return hold(pieces.heldBytes());
      end();
      controller.close();
    },
    cancel: drop,
  });
}

/** What goes to the client at a time. */
const PIECE_BYTES = 65_536;

/** Bytes that are there already, such as a file: the client takes them piece by piece, or is left. */
export function bytesAsTaken(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let left = bytes;
  return streamAsTaken({
    // All of it, as the pieces are parts of one buffer.
    heldBytes: () => bytes.length,
    next() {
      const piece = left.subarray(0, PIECE_BYTES);
      left = left.subarray(piece.length);
      return { piece, isLast: left.length === 0 };
    },
    drop() {
      left = new Uint8Array();
    },
  });
}
