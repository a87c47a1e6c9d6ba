/** Where "now" comes from. Every rule that depends on time takes one, so that tests can move it. */
export interface Clock {
  /** The current instant in milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
}

/** The machine's clock: the only reader of real time in the backend. */
export const systemClock: Clock = { nowMs: () => Date.now() };
