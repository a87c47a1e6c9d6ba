import { type CustomerScope, customerScope } from '../../customers/test-clocks/index.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import { invalidParameter } from '../../platform/errors.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { bookAsKnown } from './as-known.ts';
import { type CreditView, pendingAt, settledAt } from './balance.ts';
import { toTransactionBody, transactionId } from './body.ts';
import type { CreditsDeps } from './deps.ts';
import { readLedger, type StoredLedger } from './ledger.ts';
import { liveAt, type RunningCharge } from './live.ts';
import { creditRepository } from './repository.ts';
import type { BalancesBody, TransactionPage } from './schema.ts';
import { checkCustomer } from './service.ts';
import { type CreditTransaction, type TransactionType, transactionsAt } from './transactions.ts';

export interface BalanceRequest {
  /** Of an instant; undefined: of now. */
  atMs: number | undefined;
  /** undefined: all in which there ever was credit. */
  currencies: readonly string[] | undefined;
  view: CreditView;
}

export interface TransactionsRequest {
  type: TransactionType | undefined;
  currency: string | undefined;
  view: CreditView;
  page: CursorRequest;
}

export interface CreditReading {
  /** @throws RequestProblem 404 */
  balance(customerId: string, request: BalanceRequest): Promise<BalancesBody>;
  /** The newest first. @throws RequestProblem 400, 404 */
  transactions(customerId: string, request: TransactionsRequest): Promise<TransactionPage>;
}

export function createCreditReading(root: Scope, deps: CreditsDeps): CreditReading {
  const ofCustomer = async <Result>(customerId: string, read: (scope: CustomerScope) => Promise<Result>) =>
    (await customerScope(root, customerId)).transaction(async (scope) => {
      await checkCustomer(deps, scope);
      return read(scope);
    });
  /** What runs draws on the balance of now only; usage is read before the transaction. */
  const withRunning = async <Result>(
    customerId: string,
    { atMs }: BalanceRequest,
    read: (scope: CustomerScope, running: Awaited<ReturnType<CreditsDeps['runningCharges']>>) => Promise<Result>,
  ) => {
    const outside = await customerScope(root, customerId);
    await checkCustomer(deps, outside);
    const running = atMs === undefined ? await deps.runningCharges(outside) : new Map();
    return outside.transaction((scope) => read(scope, running));
  };
  return {
    balance: (customerId, request) =>
      withRunning(customerId, request, async (scope, running) => {
        const nowMs = scope.clock.nowMs();
        const codes = request.currencies ?? (await creditRepository(scope).currencies(customerId));
        const balances: BalancesBody['balances'] = [];
        for (const code of codes) {
          const ledger = await ledgerOf(deps, scope, code);
          balances.push(balanceOf(ledger, { currency: code, nowMs, running: running.get(code) ?? [] }, request));
        }
        return { retrieved_at: formatInstant(nowMs), balances };
      }),
    transactions: (customerId, request) =>
      ofCustomer(customerId, async (scope) => {
        const all = await creditRepository(scope).currencies(customerId);
        const codes = all.filter((code) => request.currency === undefined || code === request.currency);
        const ledgers = new Map<string, StoredLedger>();
        for (const code of codes) ledgers.set(code, await ledgerOf(deps, scope, code));
        return pageOf(scope, ledgers, request);
      }),
  };
}

/** Of a currency that was deleted since, or never was, nothing is rounded: the ledger is only read. */
async function ledgerOf(deps: CreditsDeps, scope: CustomerScope, code: string): Promise<StoredLedger> {
  const currency = await deps.findCurrency(code, scope);
  return readLedger(scope, code, currency?.digits ?? 0);
}

function balanceOf(
  ledger: StoredLedger,
  { currency, nowMs, running }: { currency: string; nowMs: number; running: readonly RunningCharge[] },
  { atMs, view }: BalanceRequest,
) {
  const times = { atMs: atMs ?? nowMs, seenAtMs: knownUntil(ledger, nowMs) };
  const book = bookAsKnown(ledger, times);
  // Of another instant it would not be known what ran then.
  const live = atMs === undefined ? formatDecimal(liveAt(() => bookAsKnown(ledger, times), nowMs, running)(view)) : '0';
  return {
    currency,
    live,
    settled: formatDecimal(settledAt(book, times.atMs, view)),
    pending: formatDecimal(pendingAt(book, times.atMs, view)),
  };
}

/** All that is recorded, also when the clock was set back since. */
function knownUntil({ movements }: StoredLedger, nowMs: number): number {
  return Math.max(nowMs, movements.at(-1)?.knownAtMs ?? nowMs);
}

type Listed = CreditTransaction & { id: string; currency: string };

async function pageOf(
  scope: CustomerScope,
  ledgers: ReadonlyMap<string, StoredLedger>,
  { type, view, page }: TransactionsRequest,
): Promise<TransactionPage> {
  const nowMs = scope.clock.nowMs();
  const { customerId } = scope;
  const all = [...ledgers].flatMap(([currency, ledger]): Listed[] => {
    const book = bookAsKnown(ledger, { atMs: nowMs, seenAtMs: knownUntil(ledger, nowMs) });
    const rows = transactionsAt(book, nowMs, view).filter((row) => type === undefined || row.type === type);
    return rows.map((row) => ({ ...row, currency, id: transactionId(row.movement, { customerId, currency }) }));
  });
  // Each ledger stays in its own order.
  const ordered = all.toSorted((a, b) => b.movement.bookedAtMs - a.movement.bookedAtMs);
  const from = page.after === undefined ? 0 : ordered.findIndex(({ id }) => id === page.after) + 1;
  if (page.after !== undefined && from === 0) throw unknownCursor();
  const shown = ordered.slice(from, from + page.size);
  const runs = await creditRepository(scope).runs(shown.flatMap(({ movement }) => movement.runId ?? []));
  const data = shown.map(({ currency, ...row }) => {
    const { lotId = '', runId = '' } = row.movement;
    const lot = ledgers.get(currency)?.stored.get(lotId);
    return toTransactionBody(row, { customerId, currency, lot, run: runs.get(runId) });
  });
  const [first, last] = [data[0]?.id, data.at(-1)?.id];
  const hasMore = from + page.size < ordered.length;
  return {
    data,
    meta: {
      page: {
        size: page.size,
        ...(first !== undefined && { first }),
        ...(last !== undefined && { last }),
        next: hasMore ? (last ?? null) : null,
        previous: null,
      },
    },
  };
}

function unknownCursor() {
  const reason = 'is no cursor of this list';
  return invalidParameter({ field: 'page[after]', rule: 'invalid', reason, source: 'query' });
}
