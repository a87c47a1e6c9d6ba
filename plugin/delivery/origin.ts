import { createHash } from 'node:crypto';
import type { Numbered } from '../../delivery/numbering.ts';
import type { AccountReport } from './served/account.ts';
import type { Ticket } from './settings.ts';

/**
 * Who took events and numbered them: one Delivery in one run of one process. It numbers from 1 without gaps, so that
 * whoever receives the events sees what is missing. Events that another process adopts keep the origin they had.
 */
export interface Origin extends Numbered {
  /** What it has been given to tell of the gateway; undefined = nothing. */
  readonly account?: AccountReport | undefined;
}

/** The origin of this process, which gives numbers. */
export interface NumberingOrigin extends Origin {
  next(): number;
}

export function createOrigin(
  { node, process }: Pick<Origin, 'node' | 'process'>,
  dropped: Origin['dropped'],
  account: () => AccountReport | undefined = () => undefined,
): NumberingOrigin {
  let taken = 0;
  return {
    node,
    process,
    get taken() {
      return taken;
    },
    dropped,
    get account() {
      return account();
    },
    next: () => ++taken,
  };
}

/** Names an event of an origin. */
export function ticketOf(process: string, number: number): Ticket {
  return `${process} ${number}`;
}

/** Sixteen hexadecimal digits: no two endpoints of a gateway share them, and the URL's credentials are not in them. */
export function endpointKey(url: URL): string {
  return createHash('sha256').update(url.href).digest('hex').slice(0, 16);
}

/**
 * Tells the few tokens of one endpoint apart without knowing them: twelve bits, salted with the process. Enough that a
 * folder rarely goes to the wrong one of them, and too little to confirm a token that somebody guesses.
 */
export function tokenTag(process: string, token: string): string {
  return createHash('sha256').update(`${process}\0${token}`).digest('hex').slice(0, 3);
}
