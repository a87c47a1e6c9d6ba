/** Questions to another process, by number, that wait for their answers. */
export interface Requests<Answer> {
  /** @param ask sends the question with its number */
  send(ask: (request: number) => void): Promise<Answer>;
  answer(request: number, answer: Answer): void;
  /** Answers all that wait: the other process is gone. */
  answerAll(answer: Answer): void;
}

/** As many questions wait as there are connections that wait for their answers. */
export function createRequests<Answer>(): Requests<Answer> {
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastRequest = 0;

  function answer(request: number, value: Answer): void {
    const resolve = waiting.get(request);
    waiting.delete(request);
    resolve?.(value);
  }

  return {
    send(ask) {
      const request = ++lastRequest;
      const { promise, resolve } = Promise.withResolvers<Answer>();
      waiting.set(request, resolve);
      ask(request);
      return promise;
    },
    answer,
    answerAll(value) {
      for (const request of [...waiting.keys()]) answer(request, value);
    },
  };
}
