import { AsyncLocalStorage } from 'node:async_hooks';
import type { KyselyPlugin } from 'kysely';

/** Work inside a transaction has asked another handle, which would wait for the transaction to end. */
class WrongHandle extends Error {
  constructor() {
    super('inside a transaction everything goes through its own handle: another one would wait for it for ever');
  }
}

/** Knows what runs while it holds the connection of one database, over all that it awaits. */
export interface OneHandle {
  /** Runs work that holds the connection. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /** To be called by whoever is about to wait for the connection. @throws WrongHandle */
  beforeWaiting(): void;
  /** Calls it before each statement. For the handle that waits: those that have the connection go without. */
  readonly plugin: KyselyPlugin;
}

export function oneHandle(): OneHandle {
  const held = new AsyncLocalStorage<{ isOver: boolean }>();
  const beforeWaiting = () => {
    if (held.getStore()?.isOver === false) throw new WrongHandle();
  };
  return {
    holding: async (work) => {
      const hold = { isOver: false };
      try {
        return await held.run(hold, work);
      } finally {
        hold.isOver = true;
      }
    },
    beforeWaiting,
    plugin: {
      transformQuery: ({ node }) => {
        beforeWaiting();
        return node;
      },
      transformResult: async ({ result }) => result,
    },
  };
}
