import type { AsideBatch, Queued } from './aside.ts';
import { type AttemptOptions, answerFields, attemptUntilJudged, type Outgoing } from './attempts.ts';
import type { Rejection } from './lenient-answer.ts';
import type { Fields } from './log.ts';
import { problemFieldsOf } from './problem.ts';
import type { Answer } from './verdict.ts';

/** An event that the endpoint refuses, and will refuse however often it is sent. */
export interface Refused<T> {
  readonly entry: T;
  /** 0 = there was no status. */
  readonly status: number;
  /** Why, in the endpoint's words, without secrets. */
  readonly fields: Fields;
}

/** Where the events of batches come from, and what becomes of them: each taken one ends in exactly one of these calls. */
export interface Outbox<T extends Queued> extends Outgoing<T> {
  /** The part is dealt with: some of it refused, the rest delivered. Never rejects. */
  settle(part: readonly T[], refused: readonly Refused<T>[]): Promise<void>;
  /** They wait again, before all others: delivery was stopped. */
  giveBack(part: readonly T[]): void;
  /** They are given up. */
  drop(reason: 'retry_time_exceeded' | 'internal_error', part: readonly T[], fields: Fields): void;
}

export interface SenderOptions<T extends Queued> extends AttemptOptions<T> {
  readonly outgoing: Outbox<T>;
}

export interface Sender<T extends Queued> {
  /**
   * Sees taken entries through: each is settled, or given back when `stop` came first, or put aside. Never rejects.
   * @param returned what they were when they were put aside, if that is where they come from
   */
  deliver(entries: readonly T[], returned?: AsideBatch<T>): Promise<void>;
}

export function createSender<T extends Queued>(options: SenderOptions<T>): Sender<T> {
  return {
    async deliver(entries, returned) {
      // A stack with the oldest on top. Halves are tried one after the other, in the slot of their batch: at most 2n-1
      // requests for n events, and about 2·log2(n) for one culprit. Each half has its own retry time.
      const parts: (readonly T[])[] = [entries];
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
        try {
          parts.push(...(await deliverPart(part, returned, options)).reverse());
        } catch (error) {
          // Nothing above throws as far as we know. If it does, these events say so; the others are not concerned.
          options.outgoing.drop('internal_error', part, { cause: options.scrub(String(error)) });
        }
      }
    },
  };
}

/** Deals with one batch. Returns the parts to be sent in its place, oldest first. */
async function deliverPart<T extends Queued>(
  part: readonly T[],
  returned: AsideBatch<T> | undefined,
  options: SenderOptions<T>,
): Promise<(readonly T[])[]> {
  const { outgoing, aside, scrub } = options;
  const outcome = await attemptUntilJudged(part, returned !== undefined, options);
  switch (outcome.kind) {
    case 'delivered':
      await settle(part, outcome.rejections, outcome.answer, options);
      return [];
    case 'stopped':
      outgoing.giveBack(part);
      return [];
    case 'expired':
      outgoing.drop('retry_time_exceeded', part, answerFields(outcome.answer, scrub));
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

function halves<T>(part: readonly T[]): (readonly T[])[] {
  const middle = part.length >> 1;
  return [part.slice(0, middle), part.slice(middle)];
}

async function settle<T extends Queued>(
  part: readonly T[],
  rejections: readonly Rejection[],
  answer: Answer,
  { outgoing, aside, scrub }: SenderOptions<T>,
): Promise<void> {
  const status = answer.kind === 'status' ? answer.status : 0;
  const refused = rejections.flatMap(({ index, problem }) => {
    const entry = part[index];
    if (entry === undefined) return [];
    return [{ entry, status, fields: { ...answerFields(answer, scrub), ...problemFieldsOf(problem, scrub) } }];
  });
  await outgoing.settle(part, refused);
  if (refused.length < part.length) aside?.delivered();
}

/** Why an event was refused, for who reads what is kept of it. */
export function reasonOf({ detail = '', invalid_parameters: parameters = '' }: Fields): string {
  return [detail, parameters].filter((text) => text !== '').join('; ');
}
