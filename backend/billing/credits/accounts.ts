import { type Decimal, ZERO } from '../../platform/decimal.ts';
import type { Book } from './book.ts';
import type { CreditLot, CreditMovement } from './types.ts';

/**
 * Accounts of double entry. fbo: credit held for the customer. receivable: negative, what the customer owes, asked for or
 * promised. advance: negative, used before it was paid. accrued: used. wash: where money comes from. brokerage: the
 * difference between credit and its price. breakage: expired.
 */
export type Account =
  | 'fbo'
  | 'receivable_open'
  | 'receivable_authorized'
  | 'advance'
  | 'accrued'
  | 'wash'
  | 'brokerage'
  | 'breakage';

/** Changes of accounts that belong together; they add up to nothing. */
export type Posting = readonly (readonly [Account, Decimal])[];

/** What the payment of a lot has come to. */
export interface LotPayment {
  lotId: string;
  status: 'authorized' | 'settled';
  atMs: number;
}

/** What of a run went out on an invoice, because credit did not pay it. */
export interface IssuedRemainder {
  runId: string;
  amount: Decimal;
  atMs: number;
}

/** The book in double entry; a view, nothing of it is stored. */
export function postingsAt(
  book: Book,
  atMs: number,
  { payments, issued }: { payments: readonly LotPayment[]; issued: readonly IssuedRemainder[] },
): Posting[] {
  const ofMovements = book.movements.flatMap((one) =>
    one.bookedAtMs <= atMs ? ofMovement(one, lotOf(book, one)) : [],
  );
  const ofPayments = payments.flatMap((one) => {
    const lot = book.lots.get(one.lotId)?.lot;
    return one.atMs <= atMs && lot !== undefined ? [ofPayment(lot, one.status)] : [];
  });
  const ofInvoices = issued.flatMap(({ amount, atMs: issuedAtMs }): Posting[] =>
    issuedAtMs <= atMs ? [move('receivable_open', 'accrued', amount)] : [],
  );
  return [...ofMovements, ...ofPayments, ...ofInvoices];
}

export function accountsOf(postings: readonly Posting[]): Map<Account, Decimal> {
  const sums = new Map<Account, Decimal>();
  for (const [account, amount] of postings.flat()) sums.set(account, amount.add(sums.get(account) ?? ZERO));
  return sums;
}

function ofMovement({ kind, amount }: CreditMovement, lot: CreditLot | undefined): Posting[] {
  const held: Account = lot === undefined ? 'advance' : 'fbo';
  switch (kind) {
    case 'fund':
    case 'void': {
      // What is given is paid by nobody: the promise is settled at once, and taken back when the gift is.
      const granted = move('receivable_open', held, amount);
      return lot?.funding === 'none' ? [granted, move('wash', 'receivable_open', amount)] : [granted];
    }
    case 'expire':
      return [move('breakage', held, amount)];
    default:
      // use, give_back; the two sides of a cover leave what is accrued as it was
      return [move('accrued', held, amount)];
  }
}

function ofPayment(lot: CreditLot, status: LotPayment['status']): Posting {
  const price = lot.amount.mul(lot.costBasis);
  if (status === 'settled') return move('wash', 'receivable_authorized', price);
  return [
    ['receivable_open', lot.amount],
    ['receivable_authorized', price.neg()],
    ['brokerage', price.sub(lot.amount)],
  ];
}

function move(from: Account, to: Account, amount: Decimal): Posting {
  return [
    [from, amount.neg()],
    [to, amount],
  ];
}

function lotOf(book: Book, { lotId }: CreditMovement): CreditLot | undefined {
  return lotId === undefined ? undefined : book.lots.get(lotId)?.lot;
}
