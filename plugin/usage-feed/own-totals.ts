import type { Clock } from '../../delivery/clock.ts';
import { type Amounts, add, MEASURES, NO_AMOUNTS, type TypeTotals, writeMessage } from './messages.ts';

/** An event as far as it is told of. */
export interface FeedEvent {
  readonly subject: string;
  readonly type: string;
  readonly data: object;
}

/**
 * What has arrived within this long before a connection is made is told as if it had been on its way: the enforcing plugin
 * may have asked the backend before that, and could not know of it. Several times what connecting and asking take.
 */
const RECENT_MS = 5000;
const MAX_RECENT = 100_000;

/** Past these the oldest are forgotten: they count as arrived, and the enforcing plugin is that much too generous. */
const MAX_SUBJECTS = 50_000;
const MAX_EVENTS = 200_000;
/** An event that waits for longer than this, in a long outage, or that got lost, no longer counts as on its way. */
const FORGET_AFTER_MS = 600_000;

interface SubjectTotals {
  readonly generation: number;
  logged: number;
  readonly types: Map<string, { made: Amounts; settled: Amounts }>;
}

interface MadeEvent {
  readonly totals: SubjectTotals;
  readonly subject: string;
  readonly type: string;
  readonly amounts: Amounts;
  readonly madeAt: number;
}

interface Settled extends Pick<MadeEvent, 'totals' | 'type' | 'amounts'> {
  readonly at: number;
}

/** What this process has to tell: by subject, what was made and what of it has arrived. */
export class OwnTotals {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #subjects = new Map<string, SubjectTotals>();
  readonly #events = new Map<string, MadeEvent>();
  readonly #changed = new Set<string>();
  readonly #recent: Settled[] = [];
  #generations = 0;

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  logged(subject: string): void {
    this.#of(subject).logged++;
    this.#touch(subject);
  }

  made(ticket: string, { subject, type, data }: FeedEvent): void {
    const totals = this.#of(subject);
    const amounts = amountsOf(data);
    const own = totals.types.get(type) ?? { made: NO_AMOUNTS, settled: NO_AMOUNTS };
    totals.types.set(type, { made: add(own.made, amounts), settled: own.settled });
    this.#events.set(ticket, { totals, subject, type, amounts, madeAt: this.#clock.now() });
    const [oldest] = this.#events;
    const isTooOld = oldest !== undefined && this.#clock.now() - oldest[1].madeAt > FORGET_AFTER_MS;
    if (oldest !== undefined && (this.#events.size > MAX_EVENTS || isTooOld)) this.settled([oldest[0]]);
    this.#touch(subject);
  }

  settled(tickets: readonly string[]): void {
    for (const ticket of tickets) {
      const event = this.#events.get(ticket);
      if (event === undefined) continue;
      this.#events.delete(ticket);
      const own = event.totals.types.get(event.type);
      if (own === undefined) continue;
      event.totals.types.set(event.type, { made: own.made, settled: add(own.settled, event.amounts) });
      this.#recent.push({ totals: event.totals, type: event.type, amounts: event.amounts, at: this.#clock.now() });
      this.#touch(event.subject);
    }
    // A few at a time, so that no one call has them all to drop.
    const old = this.#recent.findIndex(({ at }) => this.#clock.now() - at <= RECENT_MS);
    const dropped = Math.max(old, this.#recent.length - MAX_RECENT);
    if (dropped > 0) this.#recent.splice(0, dropped);
  }

  /** For somebody who knows nothing yet: all is to be told, and what arrived a moment ago as if it were on its way. */
  beginAnew(): void {
    for (const [subject, totals] of this.#subjects) {
      onlyOnTheirWay(totals);
      this.#changed.add(subject);
    }
    for (const { totals, type, amounts, at } of this.#recent) {
      const own = totals.types.get(type);
      if (own === undefined || this.#clock.now() - at > RECENT_MS) continue;
      totals.types.set(type, { made: add(own.made, amounts), settled: add(own.settled, amounts) });
    }
  }

  forgetLogged(): void {
    for (const totals of this.#subjects.values()) totals.logged = 0;
  }

  clear(): void {
    for (const known of [this.#subjects, this.#events, this.#changed]) known.clear();
    this.#recent.length = 0;
  }

  /** @returns messages of the subjects that have changed since the last call */
  takeChanged(): string[] {
    const lines: string[] = [];
    for (const subject of this.#changed) {
      const totals = this.#subjects.get(subject);
      if (totals === undefined) continue;
      const types: Record<string, TypeTotals> = Object.fromEntries(totals.types);
      lines.push(writeMessage({ subject, generation: totals.generation, logged: totals.logged, types }));
    }
    this.#changed.clear();
    return lines;
  }

  #of(subject: string): SubjectTotals {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    const [oldest] = this.#subjects.keys();
    if (this.#subjects.size >= MAX_SUBJECTS && oldest !== undefined) this.#subjects.delete(oldest);
    const totals: SubjectTotals = { generation: ++this.#generations, logged: 0, types: new Map() };
    this.#subjects.set(subject, totals);
    return totals;
  }

  #touch(subject: string): void {
    this.#changed.add(subject);
    this.#onChange();
  }
}

/** What has arrived by now is known from the backend, what has not is on its way. */
function onlyOnTheirWay(totals: SubjectTotals): void {
  for (const [type, { made, settled }] of totals.types) {
    totals.types.set(type, { made: add(made, settled, -1), settled: NO_AMOUNTS });
  }
}

function amountsOf(data: object): Amounts {
  const fields = data as Readonly<Record<string, unknown>>;
  return MEASURES.map((measure) => {
    if (measure === 'count') return 1;
    const value = fields[measure];
    return typeof value === 'number' && value > 0 ? value : 0;
  });
}
