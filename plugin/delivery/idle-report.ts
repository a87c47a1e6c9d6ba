import type { Transport } from '../../delivery/transport.ts';
import type { Answer } from '../../delivery/verdict.ts';
import { deliveryHeaders } from './delivery-headers.ts';
import type { Origin } from './origin.ts';

/**
 * Tells the ledger of gateway nodes what was dropped, and served, when no batch is there to tell it with. Only to backends that have
 * shown that they know our headers: for others a batch without events might be a mistake.
 */
export interface IdleReport {
  /** An answer to a batch. */
  answered(answer: Answer): void;
  /** Whether there is anything to tell, and somebody who understands it. */
  readonly hasNews: boolean;
  /** Whether something has been dropped that no report has told, be it for want of somebody who understands it. */
  readonly isUntold: boolean;
  /** To be told as well: nothing more will be sent of that origin. */
  takeOver(origin: Origin): void;
  /** Sends what is new, of its own origin only if `isIdle`. Resolves when it has arrived, or has failed. */
  send(isIdle?: boolean): Promise<void>;
}

export interface IdleReportOptions {
  readonly origin: Origin;
  readonly transport: Transport;
  readonly stop: AbortSignal;
}

const NO_EVENTS = [Buffer.from('[]')];
const NOTHING = '[{},null]';
/** Origins that are over, with a backend that never shows that it understands: the oldest are forgotten. */
const MAX_TAKEN_OVER = 100;

export function createIdleReport({ origin: own, transport, stop }: IdleReportOptions): IdleReport {
  /** What has arrived of each. */
  const told = new Map<Origin, string>([[own, NOTHING]]);
  let isUnderstood = false;
  let isUnderWay = false;

  const isNew = (origin: Origin) => stateOf(origin) !== told.get(origin);
  const untold = () => [...told.keys()].filter(isNew);

  async function tell(origin: Origin): Promise<void> {
    const telling = stateOf(origin);
    const answer = await transport.post(NO_EVENTS, deliveryHeaders(origin, []), stop);
    // What did not arrive is told the next time.
    if (answer.kind !== 'status' || answer.status >= 300) return;
    if (origin === own) told.set(origin, telling);
    else told.delete(origin);
  }

  async function send(isIdle = true): Promise<void> {
    if (!isUnderstood || isUnderWay) return;
    isUnderWay = true;
    for (const origin of untold()) if (isIdle || origin !== own) await tell(origin);
    isUnderWay = false;
  }

  return {
    answered(answer) {
      if (isUnderstood || answer.kind !== 'status' || answer.lenient === undefined) return;
      isUnderstood = true;
      void send(false);
    },
    get hasNews() {
      return isUnderstood && !isUnderWay && untold().length > 0;
    },
    get isUntold() {
      return isNew(own);
    },
    takeOver(origin) {
      const [, oldest] = told.keys();
      if (told.size > MAX_TAKEN_OVER && oldest !== undefined) told.delete(oldest);
      told.set(origin, NOTHING);
      void send(false);
    },
    send,
  };
}

function stateOf(origin: Origin): string {
  const { account } = origin;
  return JSON.stringify([origin.dropped(), account === undefined ? null : { ...account, revision: 0 }]);
}
