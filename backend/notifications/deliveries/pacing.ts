/** How much is under way at the same time, and when the next is looked for. Knows nothing of messages. */

/** Messages on their way, by channel. */
export function createFlights() {
  const counts = new Map<string, number>();
  const running = new Set<Promise<void>>();
  let onEnd: () => void = () => {};
  return {
    add: (channelId: string, send: () => Promise<void>): void => {
      counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
      const flight = send().finally(() => {
        const left = (counts.get(channelId) ?? 1) - 1;
        if (left === 0) counts.delete(channelId);
        else counts.set(channelId, left);
        running.delete(flight);
        onEnd();
      });
      running.add(flight);
    },
    of: (channelId: string) => counts.get(channelId) ?? 0,
    count: () => running.size,
    channelsWith: (atLeast: number) => [...counts].flatMap(([id, count]) => (count >= atLeast ? [id] : [])),
    next: () => Promise.race(running),
    all: async () => void (await Promise.all(running)),
    onEnd: (then: () => void): void => {
      onEnd = then;
    },
  };
}

/** Work that is asked for while it runs is done once more after it, not beside it. */
export function oneAtATime(work: (isOver: () => boolean) => Promise<void>) {
  let isOver = false;
  let isAskedAgain = false;
  let running: Promise<void> | undefined;
  const turns = async () => {
    do {
      isAskedAgain = false;
      await work(() => isOver);
    } while (isAskedAgain && !isOver);
  };
  return {
    run: (): Promise<void> => {
      isAskedAgain = true;
      running ??= turns().finally(() => {
        running = undefined;
      });
      return running;
    },
    end: async (): Promise<void> => {
      isOver = true;
      await running;
    },
  };
}

/** By a counter, not by the time of day; one turn after the other. @returns ends it */
export function repeat(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  let running = Promise.resolve();
  const turn = async () => {
    await work();
    if (isOver) return;
    timer = setTimeout(() => {
      running = turn();
    }, everyMs).unref();
  };
  running = turn();
  return async () => {
    isOver = true;
    clearTimeout(timer);
    await running;
  };
}
