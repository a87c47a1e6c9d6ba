/** A client that takes nothing of its answer for so long is left. */
const IDLE_MS = 60_000;

export interface SlowClientWatch {
  /** It has taken something. */
  took(): void;
  end(): void;
}

/**
 * Watches the client of an answer that is made as it is taken: what the answer is made of is held as long.
 * @param leave told once, with the error to end the answer with
 */
export function watchSlowClient(leave: (error: Error) => void): SlowClientWatch {
  const timer = setTimeout(() => leave(new Error('the client took nothing of the answer for a minute')), IDLE_MS);
  timer.unref();
  return { took: () => void timer.refresh(), end: () => clearTimeout(timer) };
}
