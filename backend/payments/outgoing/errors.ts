/** What goes wrong in the system of an app, as far as it matters to who works on it. */

/** Nothing came of it, or nobody knows: the same work is done again later. */
export class TryLater extends Error {
  /** At least that long from now; undefined: as the number of attempts says. */
  readonly afterMs: number | undefined;

  constructor(message: string, afterMs?: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

/** The app's key does not open the account any more: everything waits for another one. */
export class AppUnauthorized extends Error {}

/** It cannot be done until somebody changes something: the invoice says why. */
export class AppRefused extends Error {
  /** Begins with `app_`, so that it goes when the step is tried again. */
  readonly code: `app_${string}`;
  /** The invoice there that is not there any more: the next one is made anew. */
  readonly gone: string | undefined;

  constructor(code: `app_${string}`, message: string, options: { gone?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.gone = options.gone;
  }
}

/** Somebody else works on it by now. */
export class LeaseLost extends Error {}
