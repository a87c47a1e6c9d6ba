/**
 * A question, or a piece of news, for modules that stand above the one that has it. The lower module declares what it
 * calls; composition gives it a hook, and fills the hook when the higher modules are made.
 */
export interface Hook<Args extends readonly unknown[], Answer> {
  /** Asks those who are registered, in their order, until one has an answer; undefined when nobody has. */
  (...args: Args): Promise<Answer | undefined>;
  register(answer: (...args: Args) => Promise<Answer | undefined>): void;
}

export function createHook<Args extends readonly unknown[], Answer>(): Hook<Args, Answer> {
  const registered: ((...args: Args) => Promise<Answer | undefined>)[] = [];
  const ask = async (...args: Args): Promise<Answer | undefined> => {
    for (const answer of registered) {
      const given = await answer(...args);
      if (given !== undefined) return given;
    }
    return undefined;
  };
  return Object.assign(ask, { register: (answer: (typeof registered)[number]) => void registered.push(answer) });
}
