import type { Socket } from 'node:net';
import type { ConnectionPast, ToFirst } from './worker-messages.ts';

/** A connection whose worker is gone. */
export interface LeftConnection extends ConnectionPast {
  readonly connection: Socket;
}

type OfConnection = Extract<ToFirst, { readonly connection: number }>;

/** The connections that a worker serves, each held open here as well, for another worker when it dies. */
export class HeldConnections {
  readonly #held = new Map<number, LeftConnection>();
  readonly #onTheWay = new Set<number>();
  readonly #onTaken: () => void;
  #last = 0;

  /** @param onTaken a connection that was on its way has arrived, or ended before that */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  get count(): number {
    return this.#held.size;
  }

  get isAwaitingOne(): boolean {
    return this.#onTheWay.size > 0;
  }

  /**
   * One is on its way to the worker. Should it not arrive, it is still one that the workers before have used.
   * @returns its number
   */
  add(connection: LeftConnection): number {
    this.#held.set(++this.#last, connection);
    this.#onTheWay.add(this.#last);
    return this.#last;
  }

  /** What the worker says of one. */
  hear(message: OfConnection): void {
    const id = message.connection;
    if (message.kind === 'asked') this.#note(id, { unanswered: message.call });
    else if (message.kind === 'answered') this.#note(id, { unanswered: undefined });
    else {
      if (message.kind === 'arrived') this.#note(id, { isUsed: true });
      else this.#letGo(id);
      if (this.#onTheWay.delete(id)) this.#onTaken();
    }
  }

  /** The worker is gone. @returns what it leaves */
  leave(): LeftConnection[] {
    const left = [...this.#held.values()];
    this.#held.clear();
    this.#onTheWay.clear();
    return left;
  }

  #note(id: number, past: Partial<ConnectionPast>): void {
    const one = this.#held.get(id);
    if (one !== undefined) this.#held.set(id, { ...one, ...past });
  }

  #letGo(id: number): void {
    this.#held.get(id)?.connection.destroy();
    this.#held.delete(id);
  }
}
