import type { Rejection } from '../../delivery/lenient-answer.ts';
import type { Fields } from '../../delivery/log.ts';
import { problemFieldsOf } from '../../delivery/problem.ts';
import type { Answer } from '../../delivery/verdict.ts';
import type { AsideBatch } from './aside.ts';
import { type AttemptOptions, answerFields, attemptUntilJudged } from './attempts.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type Entry, idOf } from './event-store.ts';
import { ticketOf } from './origin.ts';
import type { OnSettled } from './settings.ts';

export interface SenderOptions extends AttemptOptions {
  /** Told which events were dealt with. */
  readonly onSettled?: OnSettled | undefined;
  /** Where refused events are kept; undefined = nowhere. */
  readonly deadLetters?: DeadLetters | undefined;
}

export interface Sender {
  /**
   * Sees taken entries through: each is settled, or given back when `stop` came first, or put aside. Never rejects.
   * @param returned what they were when they were put aside, if that is where they come from
   */
  deliver(entries: readonly Entry[], returned?: AsideBatch): Promise<void>;
}

const MAX_ID_LENGTH = 128;

export function createSender(options: SenderOptions): Sender {
  return {
    async deliver(entries, returned) {
      // A stack with the oldest on top. Halves are tried one after the other, in the slot of their batch: at most 2n-1
      // requests for n events, and about 2·log2(n) for one culprit. Each half has its own retry time.
      const parts: (readonly Entry[])[] = [entries];
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
        try {
          parts.push(...(await deliverPart(part, returned, options)).reverse());
        } catch (error) {
          // Nothing above throws as far as we know. If it does, these events are lost, and say so; the others are not.
          drop('internal_error', part, { cause: options.scrub(String(error)) }, options);
        }
      }
    },
  };
}

/** Deals with one batch. Returns the parts to be sent in its place, oldest first. */
async function deliverPart(
  part: readonly Entry[],
  returned: AsideBatch | undefined,
  options: SenderOptions,
): Promise<(readonly Entry[])[]> {
  const { store, aside, scrub } = options;
  const outcome = await attemptUntilJudged(part, returned !== undefined, options);
  switch (outcome.kind) {
    case 'delivered':
      await settle(part, outcome.rejections, outcome.answer, options);
      return [];
    case 'stopped':
      store.giveBack(part);
      return [];
    case 'expired':
      drop('retry_time_exceeded', part, answerFields(outcome.answer, scrub), options);
      return [];
    case 'failing':
      if (returned !== undefined && part.length > 1 && aside?.isAtFault(returned) === true) return halves(part);
      aside?.put(part);
      return [];
    case 'unclear':
      if (part.length > 1) return halves(part);
      await settle(part, [], outcome.answer, options);
      return [];
    case 'refused': {
      if (part.length > 1) return halves(part);
      const rejections = part.map((_entry, index) => ({ index, problem: {} }));
      await settle(part, rejections, outcome.answer, options);
      return [];
    }
  }
}

function halves(part: readonly Entry[]): (readonly Entry[])[] {
  const middle = part.length >> 1;
  return [part.slice(0, middle), part.slice(middle)];
}

/** The batch is dealt with: some of it refused, the rest delivered. */
async function settle(
  part: readonly Entry[],
  rejections: readonly Rejection[],
  answer: Answer,
  options: SenderOptions,
): Promise<void> {
  const { store, ledger, endpoint, aside, deadLetters, scrub } = options;
  const status = answer.kind === 'status' ? answer.status : 0;
  const refused = rejections.flatMap(({ index, problem }) => {
    const entry = part[index];
    if (entry === undefined) return [];
    return [{ entry, fields: { ...answerFields(answer, scrub), ...problemFieldsOf(problem, scrub) } }];
  });
  // Kept aside before it is given up: a process that is killed in between leaves it in both places, not in none.
  if (refused.length > 0) {
    await deadLetters?.keep(
      refused.map(({ entry, fields }) => ({ entry, endpoint, status, reason: reasonOf(fields) })),
    );
  }
  store.settle(part);
  tellSettled(part, options);
  ledger.totals.sent += part.length - refused.length;
  for (const { entry, fields } of refused) {
    ledger.drop('rejected', 1, { endpoint, id: idOf(entry).slice(0, MAX_ID_LENGTH), ...fields });
  }
  if (refused.length < part.length) aside?.delivered();
}

function reasonOf({ detail = '', invalid_parameters: parameters = '' }: Fields): string {
  return [detail, parameters].filter((text) => text !== '').join('; ');
}

function tellSettled(entries: readonly Entry[], { store, onSettled }: SenderOptions): void {
  onSettled?.(entries.map(({ number }) => ticketOf(store.origin.process, number)));
}

function drop(reason: string, entries: readonly Entry[], fields: Fields, options: SenderOptions): void {
  options.store.settle(entries);
  tellSettled(entries, options);
  options.ledger.drop(reason, entries.length, { endpoint: options.endpoint, ...fields });
}
