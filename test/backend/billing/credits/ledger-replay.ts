import { readFileSync } from 'node:fs';
import type { IssuedRemainder, LotPayment } from '../../../../backend/billing/credits/accounts.ts';
import { bookAsKnown } from '../../../../backend/billing/credits/as-known.ts';
import { type Book, openBook } from '../../../../backend/billing/credits/book.ts';
import { expireUntil, fundLot, unfundLot, voidLot } from '../../../../backend/billing/credits/lots.ts';
import { settleRun } from '../../../../backend/billing/credits/runs.ts';
import { whyNotVoided } from '../../../../backend/billing/credits/status.ts';
import type { CreditLot, CreditMovement, SettlementMode } from '../../../../backend/billing/credits/types.ts';
import { Decimal, ZERO } from '../../../../backend/platform/decimal.ts';

export interface VectorGrant {
  id: string;
  amount: string;
  priority?: number;
  effective_at: string;
  expires_at?: string;
  created_at?: string;
  features?: string[];
  funding?: 'none' | 'invoice' | 'external';
  cost_basis?: string;
  undrafted?: boolean;
}

export interface VectorEvent {
  at: string;
  type: string;
  id?: string;
  grant?: string;
  amount?: string;
  total?: string;
  status?: 'authorized' | 'settled';
  mode?: SettlementMode;
  feature?: string;
  booked_at?: string;
  sources_as_of?: string;
  counts_from?: string;
  before_expiry?: boolean;
}

export interface LedgerCase {
  name: string;
  kind: 'ledger';
  policy?: Record<string, unknown>;
  digits?: number;
  grants: VectorGrant[];
  events: VectorEvent[];
  expected: ExpectedLedger;
  expected_recommended?: ExpectedLedger;
}

export interface ExpectedLedger {
  allocations?: Record<string, Record<string, string>>;
  balances?: {
    at: string;
    settled: string;
    live?: string;
    pending?: string;
    view?: string;
    seen_at?: string;
    timestamp_given?: boolean;
  }[];
  grants?: { id: string; at: string; left?: string; status?: string }[];
  transactions?: { at: string; view?: string; type?: string; rows: Record<string, string>[] }[];
  accounts?: ({ at: string } & Record<string, string>)[];
  refused?: { at: string; grant: string; status: number }[];
}

/** Of what a grant asks for. */
export interface TermsCase {
  name: string;
  kind: 'duration' | 'purchase';
  given: Record<string, string | undefined>;
  expected: Record<string, unknown>;
}

export const creditVectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/credits.json', import.meta.url), 'utf8'),
) as (LedgerCase | TermsCase)[];

interface Running {
  runId: string;
  mode: SettlementMode;
  feature?: string;
  total: Decimal;
  fromMs: number;
  openedAtMs: number;
  closedAtMs: number;
}

/** A history that was played: its records, and what is known beside them. */
export interface Played {
  digits: number;
  lots: CreditLot[];
  movements: CreditMovement[];
  totals: Map<string, Decimal>;
  running: Running[];
  payments: LotPayment[];
  issued: IssuedRemainder[];
  refused: { at: string; grant: string; status: number }[];
}

const ms = (text: string) => Date.parse(text);

/** Plays a case event by event; each step opens the records anew, as a request does. */
export function play({ grants, events, digits = 2 }: Pick<LedgerCase, 'grants' | 'events' | 'digits'>): Played {
  const played: Played = {
    digits,
    lots: [],
    movements: [],
    totals: new Map(),
    running: [],
    payments: [],
    issued: [],
    refused: [],
  };
  const steps = [
    ...grants.map((grant, seq) => ({
      atMs: ms(grant.created_at ?? grant.effective_at),
      run: () => create(played, grant, seq),
    })),
    ...events.map((event, index) => ({
      atMs: ms(event.at),
      run: () => happen(played, event, `${event.type}-${index}`),
    })),
  ];
  for (const { run } of steps.toSorted((a, b) => a.atMs - b.atMs)) run();
  return played;
}

export function asKnown(played: Played, atMs: number, seenAtMs = atMs): Book {
  return bookAsKnown(played, { atMs, seenAtMs });
}

/** One step in the records: opened, brought up to now, changed, kept. */
function step(played: Played, nowMs: number, isCut: boolean, change: (book: Book) => void): void {
  const book = openBook(played);
  expireUntil(book, nowMs, isCut);
  change(book);
  played.movements.push(...book.added);
  for (const id of book.changed) {
    const lot = book.lots.get(id)?.lot;
    const index = played.lots.findIndex((one) => one.id === id);
    if (lot !== undefined) played.lots.splice(index < 0 ? played.lots.length : index, index < 0 ? 0 : 1, lot);
  }
}

function create(played: Played, grant: VectorGrant, seq: number): void {
  const nowMs = ms(grant.created_at ?? grant.effective_at);
  const lot: CreditLot = {
    id: grant.id,
    seq,
    amount: new Decimal(grant.amount),
    priority: grant.priority ?? 10,
    features: grant.features ?? [],
    funding: grant.funding ?? 'none',
    costBasis: new Decimal(grant.cost_basis ?? '1'),
    createdAtMs: nowMs,
    effectiveAtMs: ms(grant.effective_at),
    ...(grant.expires_at !== undefined && { expiresAtMs: ms(grant.expires_at) }),
  };
  if (grant.undrafted === true) played.lots.push(lot);
  else step(played, nowMs, false, (book) => fundLot(book, lot, { nowMs, reasonId: `grant:${grant.id}` }));
}

function happen(played: Played, event: VectorEvent, reasonId: string): void {
  const nowMs = ms(event.at);
  const { id = '', grant = '' } = event;
  const change = (work: (book: Book) => void) => step(played, nowMs, event.before_expiry === true, work);
  const lot = played.lots.find((one) => one.id === grant);
  const known = played.totals.get(id) ?? ZERO;
  switch (event.type) {
    case 'charge':
      settle(played, event, known.add(event.amount ?? '0'), reasonId);
      break;
    case 'rate':
      settle(played, event, new Decimal(event.total ?? '0'), reasonId);
      break;
    case 'correct':
      settle(played, event, known.sub(event.amount ?? '0'), reasonId);
      break;
    case 'cancel':
      settle(played, event, ZERO, reasonId);
      break;
    case 'adjust':
      settle(played, { ...event, mode: 'credit_only' }, new Decimal(event.amount ?? '0').neg(), reasonId);
      break;
    case 'void':
      change((book) => {
        if (lot?.voidedAtMs !== undefined) return;
        if (whyNotVoided(book, grant, nowMs) !== undefined) played.refused.push({ at: event.at, grant, status: 409 });
        else voidLot(book, grant, { nowMs, reasonId });
      });
      break;
    case 'unfund':
    case 'delete_grant':
      change((book) => unfundLot(book, grant, { nowMs, reasonId }));
      break;
    case 'draft_grant':
      change((book) => {
        if (lot !== undefined) fundLot(book, lot, { nowMs, reasonId });
      });
      break;
    case 'settle':
      played.payments.push({ lotId: grant, status: event.status ?? 'settled', atMs: nowMs });
      break;
    case 'issue_invoice':
      played.issued.push({ runId: id, amount: invoicePart(played, id), atMs: nowMs });
      break;
    case 'open_charge':
      played.running.push({
        runId: id,
        mode: event.mode ?? 'credit_only',
        ...(event.feature !== undefined && { feature: event.feature }),
        total: new Decimal(event.amount ?? '0'),
        fromMs: ms(event.counts_from ?? event.at),
        openedAtMs: nowMs,
        closedAtMs: Number.POSITIVE_INFINITY,
      });
      break;
    case 'close_charge':
      for (const one of played.running) if (one.runId === id) one.closedAtMs = Math.min(one.closedAtMs, nowMs);
      break;
  }
}

const settings = new WeakMap<Played, Map<string, Pick<VectorEvent, 'mode' | 'feature'>>>();

function settle(played: Played, event: VectorEvent, total: Decimal, reasonId: string): void {
  const { id = '', mode, feature } = event;
  const ofRuns = settings.get(played) ?? new Map();
  settings.set(played, ofRuns);
  const run = ofRuns.get(id) ?? { mode, feature };
  ofRuns.set(id, run);
  const nowMs = ms(event.at);
  const rounded = total.toDecimalPlaces(played.digits, Decimal.ROUND_HALF_UP);
  played.totals.set(id, rounded);
  step(played, nowMs, event.before_expiry === true, (book) =>
    settleRun(book, {
      runId: id,
      ...(run.feature !== undefined && { feature: run.feature }),
      mode: run.mode ?? 'credit_only',
      total,
      asOf: { atMs: ms(event.sources_as_of ?? event.booked_at ?? event.at), isCut: event.before_expiry === true },
      bookedAtMs: ms(event.booked_at ?? event.at),
      nowMs,
      reasonId,
    }),
  );
}

/** What of a run is left for the invoice. */
export function invoicePart(played: Played, runId: string): Decimal {
  const run = openBook(played).runs.get(runId);
  const paid = [...(run?.draws ?? []).map(({ amount }) => amount), run?.advance ?? ZERO];
  return paid.reduce((rest, amount) => rest.sub(amount), played.totals.get(runId) ?? ZERO);
}
