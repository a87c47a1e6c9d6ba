import { type Amounts, add, type FeedMessage, MEASURES, type Measure, NO_AMOUNTS } from './messages.ts';

const keyOf = (subject: string, type: string) => `${type} ${subject}`;

/** What all senders together have told: totals that only grow, though senders begin anew. */
export class ToldTotals {
  readonly #totals = new Map<string, { made: Amounts; settled: Amounts }>();
  readonly #listeners: ((subject: string, count: number) => void)[] = [];

  /** Calls back with how many requests of a subject came to their end. */
  onLogged(listener: (subject: string, count: number) => void): void {
    this.#listeners.push(listener);
  }

  of(subject: string, type: string, measure: Measure): { readonly made: number; readonly settled: number } {
    const own = this.#totals.get(keyOf(subject, type));
    const index = MEASURES.indexOf(measure);
    return { made: own?.made[index] ?? 0, settled: own?.settled[index] ?? 0 };
  }

  /**
   * Adds what has grown since the last message of the same sender.
   * @param known that sender's last messages, by subject
   */
  take(message: FeedMessage, known: Map<string, FeedMessage>): void {
    const { subject, generation } = message;
    const last = known.get(subject);
    const isSame = last?.generation === generation;
    if (last !== undefined && !isSame) this.giveUp(last);
    for (const [type, { made, settled }] of Object.entries(message.types)) {
      const before = isSame ? last.types[type] : undefined;
      if (before === undefined) this.#grow(subject, type, made, settled);
      else this.#grow(subject, type, add(made, before.made, -1), add(settled, before.settled, -1));
    }
    known.set(subject, message);
    const count = message.logged - (isSame ? last.logged : 0);
    if (count > 0) for (const listener of this.#listeners) listener(subject, count);
  }

  /** What the sender will not tell of any more counts as arrived. */
  giveUp({ subject, types }: FeedMessage): void {
    for (const [type, { made, settled }] of Object.entries(types))
      this.#grow(subject, type, NO_AMOUNTS, add(made, settled, -1));
  }

  #grow(subject: string, type: string, made: Amounts, settled: Amounts): void {
    const key = keyOf(subject, type);
    const own = this.#totals.get(key) ?? { made: NO_AMOUNTS, settled: NO_AMOUNTS };
    this.#totals.set(key, { made: add(own.made, made), settled: add(own.settled, settled) });
  }
}
