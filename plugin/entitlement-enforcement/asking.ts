import type { Clock, Timer } from '../../delivery/clock.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import type { AccessClient, LeaseRow } from './access-client.ts';
import type { AccessSettings } from './config.ts';
import type { Counting, Mark } from './counting.ts';
import { type Known, readAnswer } from './knowledge.ts';
import type { Lease } from './leasing.ts';

/** Who has sent nothing for this long is forgotten, and asked for again with their next request. */
const FORGET_AFTER_MS = 600_000;
/** The contract's most keys in one question. */
const KEYS_PER_QUESTION = 100;
/** Keys asked for in one round: the rest waits for the next. Ten questions are a load that any backend carries. */
const KEYS_PER_ROUND = 1000;
/** Questions at a time. */
const QUESTIONS_AT_A_TIME = 2;
/** New keys within this time share a question. */
const URGENT_AFTER_MS = 5;
/** A key whose allowance is used up is asked for again after this long: all who hit a limit must not cost a storm. */
const URGENT_AGAIN_MS = 100;
/** Requests that wait for an answer at a time: each holds a connection of the gateway. The others are decided at once. */
const MAX_REQUESTS_WAITING = 1000;

/** What is known of a key, and who waits for more. Times are of the clock that is never set. */
export interface Entry {
  known: Known | undefined;
  lastUsedAtMs: number;
  lastAskedAtMs: number;
  isBeingAsked: boolean;
  readonly requests: Set<WaitingRequest>;
  /** Of credit, where that is leased. */
  readonly lease: Lease;
}

interface WaitingRequest {
  /** Nothing is known: also an answer that was asked for before it came will do. */
  readonly isContentWithAny: boolean;
  go(): void;
}

/** The customers of one feature, and what is being asked about them. */
export interface Asking {
  readonly settings: AccessSettings;
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly client: AccessClient;
  readonly counting: Counting;
  /** In the order of their last use. */
  readonly entries: Map<string, Entry>;
  readonly urgent: Set<string>;
  readonly waiting: string[][];
  questions: number;
  requestsWaiting: number;
  isBackendUp: boolean;
  urgentTimer: Timer | undefined;
  readonly hasChanged: { known: boolean; admissions: boolean };
  /** The latest that is known of customers with credit; as many as there are entries. */
  readonly byCustomer: Map<string, Known>;
  readonly spentElsewhere: ((customerId: string, currency: string) => number) | undefined;
}

/** Asks for a key in the next moments; those whose requests wait for the answer before all others. */
export function askSoon(state: Asking, key: string, entry: Entry): void {
  const againInMs = entry.lastAskedAtMs + URGENT_AGAIN_MS - state.clock.now();
  if (entry.isBeingAsked || state.urgent.size >= KEYS_PER_ROUND) return;
  if (againInMs > 0) {
    // Whoever waits is not forgotten: the answer of just now may be from before what it waits for.
    if (entry.requests.size > 0) {
      state.clock.setTimer(() => askSoon(state, key, entry), againInMs, { background: true });
    }
    return;
  }
  state.urgent.add(key);
  state.urgentTimer ??= state.clock.setTimer(
    () => {
      state.urgentTimer = undefined;
      const keys = [...state.urgent];
      state.urgent.clear();
      ask(state, keys, true);
    },
    URGENT_AFTER_MS,
    { background: true },
  );
}

/**
 * Resolves when what was asked about a key from now on has been answered, or could not be; with a key of which nothing is
 * known, when anything has. After `waitMs` in any case. Never rejects.
 */
export function waitForAnswer(state: Asking, entry: Entry, key: string, waitMs: number): Promise<void> {
  if (waitMs <= 0 || !state.isBackendUp || state.requestsWaiting >= MAX_REQUESTS_WAITING) return Promise.resolve();
  state.requestsWaiting++;
  return new Promise((resolve) => {
    const request: WaitingRequest = {
      isContentWithAny: entry.known === undefined,
      go() {
        if (!entry.requests.delete(request)) return;
        timer.cancel();
        state.requestsWaiting--;
        resolve();
      },
    };
    const timer = state.clock.setTimer(() => request.go(), waitMs, { background: true });
    entry.requests.add(request);
    askSoon(state, key, entry);
  });
}

/** Those whose requests come, and those that nobody has asked about for long; and forgets who is gone. */
export function askDue(state: Asking): void {
  const { entries, settings, clock } = state;
  const nowMs = clock.now();
  const due: string[] = [];
  for (const [key, entry] of entries) {
    if (nowMs - entry.lastUsedAtMs > FORGET_AFTER_MS) forget(state, key);
    else if (entry.isBeingAsked) continue;
    else if (
      isLeftIdle(state, entry) ||
      entry.lastUsedAtMs >= entry.lastAskedAtMs ||
      nowMs - entry.lastAskedAtMs >= settings.refreshIntervalMs
    )
      due.push(key);
  }
  // Longest ago first.
  due.sort((a, b) => (entries.get(a)?.lastAskedAtMs ?? 0) - (entries.get(b)?.lastAskedAtMs ?? 0));
  ask(state, due.slice(0, KEYS_PER_ROUND));
}

/** Nothing is known of it any more. */
export function forget({ entries, byCustomer }: Asking, key: string): void {
  byCustomer.delete(entries.get(key)?.known?.customer?.id ?? '');
  entries.delete(key);
}

/** Something is leased that nobody uses here: it goes back. */
function isLeftIdle({ settings, counting, clock }: Asking, { known, lease }: Entry): boolean {
  return (
    settings.leases && known !== undefined && lease.isIdle(counting.uncounted(known, clock.epochMs()), clock.now())
  );
}

function leaseRow({ clock, counting }: Asking, key: string, { known, lease }: Entry): LeaseRow {
  const uncounted = known === undefined ? 0 : counting.uncounted(known, clock.epochMs());
  const told = known === undefined ? 0 : counting.toldSince(known);
  return { key, ...lease.ask({ uncounted, told, nowMs: clock.now(), canCount: counting.isTold() }) };
}

function ask(state: Asking, keys: readonly string[], isUrgent = false): void {
  const questions: string[][] = [];
  for (let from = 0; from < keys.length; from += KEYS_PER_QUESTION) {
    const some = keys.slice(from, from + KEYS_PER_QUESTION);
    for (const key of some) {
      const entry = state.entries.get(key);
      if (entry !== undefined) entry.isBeingAsked = true;
    }
    questions.push(some);
  }
  state.waiting.splice(isUrgent ? 0 : state.waiting.length, 0, ...questions);
  pump(state);
}

function pump(state: Asking): void {
  while (state.questions < QUESTIONS_AT_A_TIME) {
    const keys = state.waiting.shift();
    if (keys === undefined) return;
    state.questions++;
    void question(state, keys).finally(() => {
      state.questions--;
      pump(state);
    });
  }
}

async function question(state: Asking, keys: readonly string[]): Promise<void> {
  const { clock, counting, entries, settings, rareLog, client } = state;
  const askedAtMs = clock.epochMs();
  const askedAt = clock.now();
  const marks = new Map<string, Mark>();
  const leases: LeaseRow[] = [];
  // Who comes while it is being asked may wait for what happens after that.
  const answered = keys.flatMap((key) => [...(entries.get(key)?.requests ?? [])]);
  for (const key of keys) {
    const entry = entries.get(key);
    const mark = entry?.known && counting.mark(entry.known);
    if (mark !== undefined) marks.set(key, mark);
    if (entry === undefined) continue;
    entry.lastAskedAtMs = clock.now();
    if (settings.leases) leases.push(leaseRow(state, key, entry));
  }
  try {
    const found = readAnswer(
      await client.ask(keys, settings.leases ? leases : undefined),
      settings.featureKey,
      askedAtMs,
    );
    state.isBackendUp = true;
    Object.assign(state.hasChanged, { known: true, admissions: true });
    takeOver(state, found, marks, askedAt);
  } catch (error) {
    state.isBackendUp = false;
    const cause =
      error instanceof Error ? `${error.name} ${(error as NodeJS.ErrnoException).code ?? ''}`.trim() : 'unknown';
    const fields = { endpoint: settings.endpoint.origin, feature: settings.featureKey, cause };
    rareLog.note({
      key: `ask ${settings.endpoint.origin}`,
      level: 'error',
      msg: 'entitlements could not be asked for',
      fields,
    });
  } finally {
    for (const request of answered) request.go();
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      entry.isBeingAsked = false;
      for (const request of entry.requests) if (request.isContentWithAny || !state.isBackendUp) request.go();
      if (entry.requests.size > 0) askSoon(state, key, entry);
    }
  }
}

function takeOver(
  { entries, counting, byCustomer }: Asking,
  found: ReadonlyMap<string, Known>,
  marks: ReadonlyMap<string, Mark>,
  askedAt: number,
): void {
  const done = new Set<string>();
  for (const [key, known] of found) {
    const entry = entries.get(key);
    if (entry === undefined) continue;
    const before = entry.known;
    entry.known = known;
    entry.lease.take(known.access.credit?.leases.get(key), askedAt);
    const { customer } = known;
    if (customer === undefined) continue;
    if (known.access.credit !== undefined) byCustomer.set(customer.id, known);
    counting.answered(customer.id, marks.get(key), known);
    // A customer known by several keys is counted once.
    if (done.has(customer.id)) continue;
    done.add(customer.id);
    counting.counted(customer.id, before, known);
  }
}
