/** Waits for one's turn: so many a second at most. */
export type Pace = () => Promise<void>;

export function createPace(perSecond: number): Pace {
  const everyMs = 1000 / perSecond;
  let nextAtMs = 0;
  return async () => {
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, nextAtMs);
    nextAtMs = atMs + everyMs;
    if (atMs > nowMs) await new Promise((resolve) => setTimeout(resolve, atMs - nowMs));
  };
}
