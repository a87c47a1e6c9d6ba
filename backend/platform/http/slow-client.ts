/** A client that takes nothing of its answer for so long is left. */
const IDLE_MS = 60_000;

/** What an answer is made of, as the client takes it. */
export interface TakenPieces {
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
  const drop = (): void => {
    clearTimeout(idle);
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
      if (piece !== undefined) controller.enqueue(piece);
      if (!isLast) return;
      clearTimeout(idle);
      controller.close();
    },
    cancel: drop,
  });
}
