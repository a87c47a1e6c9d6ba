import { Decimal, ZERO } from '../../platform/decimal.ts';
import { type Book, type LotState, post, type RunState } from './book.ts';
import { drawDownOrder, paysFor } from './order.ts';

interface Covering {
  atMs: number;
  knownAtMs: number;
  reasonId: string;
}

/** Credit that is free pays what was used in advance, the oldest first, so that none expires beside a debt. */
export function coverAdvances(book: Book, covering: Covering): void {
  for (const [runId, run] of openAdvances(book)) {
    const paying = drawDownOrder(book, run.feature, { atMs: covering.atMs });
    cover(
      book,
      runId,
      paying.map((state) => ({ state, available: state.left })),
      covering,
    );
  }
}

/** The same from one lot, up to an amount, whether it is effective already or not. */
export function coverFrom(book: Book, state: LotState, limit: Decimal, covering: Covering): void {
  let available = limit;
  for (const [runId, run] of openAdvances(book)) {
    if (!paysFor(state.lot, run.feature)) continue;
    available = available.sub(cover(book, runId, [{ state, available }], covering));
  }
}

/** What was used in advance and a lot could pay. */
export function openAdvances(book: Book): [string, RunState][] {
  return [...book.advances].flatMap((runId) => {
    const run = book.runs.get(runId);
    return run === undefined ? [] : [[runId, run] as [string, RunState]];
  });
}

function cover(
  book: Book,
  runId: string,
  paying: readonly { state: LotState; available: Decimal }[],
  { atMs, knownAtMs, reasonId }: Covering,
): Decimal {
  const { feature, advance = ZERO } = book.runs.get(runId) ?? {};
  const ofRun = feature === undefined ? { runId } : { runId, feature };
  const step = { kind: 'cover' as const, ...ofRun, bookedAtMs: atMs, knownAtMs, reasonId };
  let rest = advance;
  for (const { state, available } of paying) {
    const part = Decimal.min(rest, available);
    if (part.lte(0)) continue;
    post(book, { ...step, lotId: state.lot.id, amount: part.neg() });
    rest = rest.sub(part);
  }
  const covered = advance.sub(rest);
  post(book, { ...step, amount: covered });
  return covered;
}
