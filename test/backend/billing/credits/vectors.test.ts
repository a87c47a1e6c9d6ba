import { expect, test } from 'vitest';
import { accountsOf, postingsAt } from '../../../../backend/billing/credits/accounts.ts';
import { type CreditView, leftAt, pendingAt, settledAt } from '../../../../backend/billing/credits/balance.ts';
import { lotState, openBook } from '../../../../backend/billing/credits/book.ts';
import { liveAt } from '../../../../backend/billing/credits/live.ts';
import { expiryOf, purchaseAmount } from '../../../../backend/billing/credits/new-grant.ts';
import { statusOf } from '../../../../backend/billing/credits/status.ts';
import { transactionsAt } from '../../../../backend/billing/credits/transactions.ts';
import { Decimal, sumDecimals, ZERO } from '../../../../backend/platform/decimal.ts';
import {
  asKnown,
  creditVectors,
  type ExpectedLedger,
  invoicePart,
  type LedgerCase,
  type Played,
  play,
  type TermsCase,
} from './ledger-replay.ts';

/** Cases that show another rule than ours; each has a sibling that shows ours. */
const OTHER_RULES = new Set([
  'order-filter-ignored-under-docs-rule',
  'order-default-priority-as-in-the-code',
  'grant-after-period-not-drawn-as-in-the-code', // free credit pays an open advance at once
  'grant-after-period-expires-beside-debt-as-in-the-code',
  'live-feature-views-as-in-the-code', // views are read from one draw-down
  'void-promotional-leaves-open-as-in-the-code', // nothing is owed for a gift that is taken back
  'void-then-correction-of-usage-as-in-the-code', // what comes back to a voided grant is voided
]);

const terms = creditVectors.filter((one): one is TermsCase => one.kind !== 'ledger');
const ledgerCases = creditVectors.filter((one): one is LedgerCase => one.kind === 'ledger');

test.each(ledgerCases.filter(({ name }) => !OTHER_RULES.has(name)))('credits: $name', (vector) => {
  const played = play(vector);
  const expected = vector.expected_recommended ?? vector.expected;
  expect({ ...observed(played, expected), refused: played.refused }).toEqual({
    ...normal(expected),
    refused: expected.refused ?? [],
  });
});

test('what is left out of the cases is in them', () => {
  const names = ledgerCases.map(({ name }) => name);
  expect([...OTHER_RULES].filter((name) => !names.includes(name))).toEqual([]);
});

test.each(terms.filter(({ kind }) => kind === 'duration'))('credits: $name', ({ given, expected }) => {
  const expiresAt = () => iso(expiryOf(ms(given['effective_at'] ?? ''), given['expires_after'] ?? ''));
  if (expected['status'] === 400) expect(expiresAt).toThrow('must expire after');
  else expect(expiresAt()).toBe(iso(ms(String(expected['expires_at']))));
});

test.each(terms.filter(({ kind }) => kind === 'purchase'))('credits: $name', ({ given, expected }) => {
  const digits = Number.parseInt(String(given['digits'] ?? 2), 10);
  const [amount, basis] = [given['amount'] ?? '', given['per_unit_cost_basis'] ?? ''].map((text) => new Decimal(text));
  expect(purchaseAmount(amount ?? ZERO, basis ?? ZERO, { code: 'XXX', digits }).toFixed()).toBe(expected['amount_due']);
});

const view = (text = 'all'): CreditView => (text === 'all' || text === 'unrestricted' ? text : [text]);
const ms = (text: string) => Date.parse(text);
const iso = (atMs: number) => new Date(atMs).toISOString();

/** What the ledger says to each question of the case. */
function observed(played: Played, expected: ExpectedLedger) {
  return {
    allocations: Object.fromEntries(Object.keys(expected.allocations ?? {}).map((id) => [id, allocation(played, id)])),
    balances: (expected.balances ?? []).map((asked) => balance(played, asked)),
    grants: (expected.grants ?? []).map((asked) => {
      const book = asKnown(played, ms(asked.at));
      return {
        ...asked,
        ...(asked.left !== undefined && { left: leftAt(book, asked.id, ms(asked.at)).toFixed() }),
        ...(asked.status !== undefined && { status: statusOf(lotState(book, asked.id).lot, ms(asked.at)) }),
      };
    }),
    transactions: (expected.transactions ?? []).map((asked) => ({ ...asked, rows: rows(played, asked) })),
    accounts: (expected.accounts ?? []).map(({ at, ...asked }) => {
      const postings = postingsAt(asKnown(played, ms(at)), ms(at), played);
      expect(sumDecimals(postings.flatMap((posting) => posting.map(([, amount]) => amount))).toFixed()).toBe('0');
      const sums = accountsOf(postings);
      const named = Object.keys(asked).map((account) => [
        account,
        (sums.get(account as never) ?? ZERO).add(0).toFixed(),
      ]);
      return { at, ...Object.fromEntries(named) };
    }),
  };
}

function allocation(played: Played, runId: string): Record<string, string> {
  const run = openBook(played).runs.get(runId);
  const parts = new Map<string, string>();
  for (const { lotId, amount } of run?.draws ?? []) parts.set(lotId, amount.add(parts.get(lotId) ?? '0').toFixed());
  if (run?.advance.gt(0)) parts.set('advance', run.advance.toFixed());
  if (invoicePart(played, runId).gt(0)) parts.set('invoice', invoicePart(played, runId).toFixed());
  return Object.fromEntries(parts);
}

function balance(played: Played, asked: NonNullable<ExpectedLedger['balances']>[number]) {
  const atMs = ms(asked.at);
  const seenAtMs = asked.seen_at === undefined ? atMs : ms(asked.seen_at);
  const book = asKnown(played, atMs, seenAtMs);
  const running = played.running.filter((one) => one.fromMs <= atMs && one.openedAtMs <= atMs && one.closedAtMs > atMs);
  const live = () => liveAt(() => asKnown(played, atMs, seenAtMs), atMs, running)(view(asked.view));
  return {
    ...asked,
    settled: settledAt(book, atMs, view(asked.view)).toFixed(),
    // Not of another time: an answer of the API says 0 then.
    ...(asked.live !== undefined && { live: asked.timestamp_given === true ? '0' : live().toFixed() }),
    ...(asked.pending !== undefined && { pending: pendingAt(book, atMs, view(asked.view)).toFixed() }),
  };
}

function rows(played: Played, asked: NonNullable<ExpectedLedger['transactions']>[number]) {
  const all = transactionsAt(asKnown(played, ms(asked.at)), ms(asked.at), view(asked.view));
  const listed = all.filter(({ type }) => asked.type === undefined || type === asked.type);
  return listed.map((row, index) => {
    const { lotId, runId } = row.movement;
    const shown: Record<string, string | undefined> = {
      at: iso(row.movement.bookedAtMs),
      type: row.type,
      amount: row.amount.toFixed(),
      before: row.before.toFixed(),
      after: row.after.toFixed(),
      grant: lotId,
      charge: row.type === 'consumed' ? runId : undefined,
    };
    // A case may leave out who paid for what.
    const names = Object.keys(asked.rows[index] ?? shown);
    return Object.fromEntries(names.map((name) => [name, shown[name]]));
  });
}

/** Texts of instants as they are compared. */
function normal(expected: ExpectedLedger) {
  const { allocations = {}, balances = [], grants = [], transactions = [], accounts = [] } = expected;
  return {
    allocations,
    balances,
    grants,
    accounts,
    transactions: transactions.map((one) => ({
      ...one,
      rows: one.rows.map((row) => ({ ...row, at: iso(ms(row['at'] ?? '')) })),
    })),
  };
}
