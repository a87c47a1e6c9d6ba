import { deliveryHeaders } from './delivery-headers.ts';
import type { Origin } from './origin.ts';
import type { Transport } from './transport.ts';
import type { Answer } from './verdict.ts';

/**
 * Tells the ledger of gateway nodes what was dropped when no batch is there to tell it with. Only to backends that have
 * shown that they know our headers: for others a batch without events might be a mistake.
 */
export interface IdleReport {
  /** An answer to a batch. */
  answered(answer: Answer): void;
  /** Whether there is anything to tell that the last report did not. */
  readonly hasNews: boolean;
  /** Sends a report if there is. Resolves when it has arrived, or has failed. */
  send(): Promise<void>;
}

export interface IdleReportOptions {
  readonly origin: Origin;
  readonly transport: Transport;
  readonly stop: AbortSignal;
}

const NO_EVENTS = '[]';

export function createIdleReport({ origin, transport, stop }: IdleReportOptions): IdleReport {
  let isUnderstood = false;
  let isUnderWay = false;
  let told = state();

  function state(): string {
    return JSON.stringify(origin.dropped());
  }

  const hasNews = () => isUnderstood && !isUnderWay && state() !== told;

  async function send(): Promise<void> {
    if (!hasNews()) return;
    const telling = state();
    isUnderWay = true;
    const answer = await transport.post(NO_EVENTS, deliveryHeaders(origin, []), stop);
    isUnderWay = false;
    // What did not arrive is told the next time.
    if (answer.kind === 'status' && answer.status < 300) told = telling;
  }

  return {
    answered(answer) {
      if (answer.kind === 'status' && answer.lenient !== undefined) isUnderstood = true;
    },
    get hasNews() {
      return hasNews();
    },
    send,
  };
}
