/** The window stays open. */
export interface Held {
  readonly kind: 'held';
  readonly reason: string;
  /** A server of the query API has had its word. */
  readonly isReached: boolean;
  /** Nobody has answered at all, which time mends. */
  readonly isSilent?: boolean;
  /** It is over by our clock, and not by the server's. */
  readonly isEarly?: boolean;
}

export function held(reason: string, isReached = true): Held {
  return { kind: 'held', reason, isReached };
}
