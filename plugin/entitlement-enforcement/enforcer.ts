import type { Clock, Timer } from '../delivery/clock.ts';
import type { RareLog } from '../delivery/rare-log.ts';
import type { UsageFeedReader } from '../usage-feed/receiver.ts';
import { type AccessClient, createAccessClient } from './access-client.ts';
import type { AccessSettings, DecisionSettings } from './config.ts';
import { type Counting, createCounting, type Mark } from './counting.ts';
import { type Decision, decide } from './decide.ts';
import { type Known, readAnswer } from './knowledge.ts';
import type { SavedState } from './state-file.ts';

/** Knows the customers of one feature, and keeps what it knows fresh in the background. */
export interface Enforcer {
  /** Decides about one request, at once. @param key of the customer; undefined: the request names nobody */
  check(key: string | undefined, settings: DecisionSettings): Decision;
  /** What is worth keeping over a restart. @param all whether also what has not changed since the last time */
  save(all?: boolean): Partial<SavedState>;
}

/** Keys known at a time; the one asked about longest ago goes. Ten thousand are some ten megabytes. */
const MAX_KEYS = 10_000;
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
const TOO_OLD_TO_KEEP_MS = 86_400_000;

interface Entry {
  known: Known | undefined;
  lastUsedAtMs: number;
  lastAskedAtMs: number;
  isBeingAsked: boolean;
}

interface State {
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
  isBackendUp: boolean;
  urgentTimer: Timer | undefined;
  readonly hasChanged: { known: boolean; admissions: boolean };
}

export function createEnforcer(
  settings: AccessSettings,
  deps: { clock: Clock; rareLog: RareLog; feed: UsageFeedReader | undefined; saved?: SavedState | undefined },
): Enforcer {
  const { clock, rareLog, feed, saved } = deps;
  const state: State = {
    settings,
    clock,
    rareLog,
    client: createAccessClient(settings, () => clock.epochMs()),
    counting: createCounting(feed),
    entries: new Map(),
    urgent: new Set(),
    waiting: [],
    questions: 0,
    isBackendUp: true,
    urgentTimer: undefined,
    hasChanged: { known: false, admissions: false },
  };
  restore(state, saved);
  // What has ended is on its way from now on, and that is kept, too.
  feed?.onLogged(() => {
    state.hasChanged.admissions = true;
  });
  const round = (): void => {
    askDue(state);
    clock.setTimer(round, settings.syncRateMs, { background: true });
  };
  round();
  return {
    check(key, decision) {
      const nowMs = clock.epochMs();
      const facts = { isBackendUp: true, counting: state.counting, nowMs, syncRateMs: settings.syncRateMs };
      if (key === undefined) {
        const nobody: Known = {
          customer: undefined,
          access: { hasAccess: false, reason: 'CUSTOMER_NOT_FOUND', allowance: undefined },
          askedAtMs: nowMs,
        };
        return decide({ ...facts, known: nobody }, decision);
      }
      const entry = use(state, key, nowMs);
      const verdict = decide({ ...facts, known: entry.known, isBackendUp: state.isBackendUp }, decision);
      if (entry.known === undefined || verdict.asksAgain === true || isOutdated(state, entry, nowMs)) {
        askSoon(state, key, entry, nowMs);
      }
      const { customer } = entry.known ?? {};
      if (verdict.isAllowed && customer !== undefined) {
        state.counting.admit(customer.id, verdict.units ?? 0, nowMs);
        state.hasChanged.admissions = true;
      }
      return verdict;
    },
    save(all = false) {
      const { known = all, admissions = all } = all ? {} : state.hasChanged;
      Object.assign(state.hasChanged, { known: false, admissions: false });
      return {
        ...(known && { known: Object.fromEntries(Array.from(state.entries, ([key, entry]) => [key, entry.known])) }),
        ...(admissions && {
          admissions: state.counting.save(Array.from(state.entries.values(), (entry) => entry.known)),
        }),
      };
    },
  };
}

function restore(state: State, saved: SavedState | undefined): void {
  const nowMs = state.clock.epochMs();
  for (const [key, known] of Object.entries(saved?.known ?? {})) {
    if (known === undefined || nowMs - known.askedAtMs > TOO_OLD_TO_KEEP_MS) continue;
    // As if used by now, so that the first round asks for it.
    state.entries.set(key, { known, lastUsedAtMs: nowMs, lastAskedAtMs: 0, isBeingAsked: false });
    state.counting.learn(known.customer);
  }
  state.counting.restore(saved?.admissions ?? {}, nowMs);
}

/** The entry of a key, as the one used last. */
function use({ entries }: State, key: string, nowMs: number): Entry {
  const entry = entries.get(key) ?? { known: undefined, lastUsedAtMs: nowMs, lastAskedAtMs: 0, isBeingAsked: false };
  entries.delete(key);
  entries.set(key, entry);
  entry.lastUsedAtMs = nowMs;
  const [oldest] = entries.keys();
  if (entries.size > MAX_KEYS && oldest !== undefined) entries.delete(oldest);
  return entry;
}

/** Idle customers are asked for rarely: with their first request what is known of them is asked anew. */
function isOutdated({ settings }: State, { known }: Entry, nowMs: number): boolean {
  return known !== undefined && nowMs - known.askedAtMs > 2 * settings.syncRateMs;
}

function askSoon(state: State, key: string, entry: Entry, nowMs: number): void {
  if (entry.isBeingAsked || nowMs - entry.lastAskedAtMs < URGENT_AGAIN_MS || state.urgent.size >= KEYS_PER_ROUND)
    return;
  state.urgent.add(key);
  state.urgentTimer ??= state.clock.setTimer(
    () => {
      state.urgentTimer = undefined;
      const keys = [...state.urgent];
      state.urgent.clear();
      ask(state, keys);
    },
    URGENT_AFTER_MS,
    { background: true },
  );
}

/** Those whose requests come, and those that nobody has asked about for long; and forgets who is gone. */
function askDue(state: State): void {
  const { entries, settings, clock } = state;
  const nowMs = clock.epochMs();
  const due: string[] = [];
  for (const [key, entry] of entries) {
    if (nowMs - entry.lastUsedAtMs > FORGET_AFTER_MS) entries.delete(key);
    else if (entry.isBeingAsked) continue;
    else if (entry.lastUsedAtMs >= entry.lastAskedAtMs || nowMs - entry.lastAskedAtMs >= settings.refreshIntervalMs)
      due.push(key);
  }
  // Longest ago first.
  due.sort((a, b) => (entries.get(a)?.lastAskedAtMs ?? 0) - (entries.get(b)?.lastAskedAtMs ?? 0));
  ask(state, due.slice(0, KEYS_PER_ROUND));
}

function ask(state: State, keys: readonly string[]): void {
  for (let from = 0; from < keys.length; from += KEYS_PER_QUESTION) {
    const some = keys.slice(from, from + KEYS_PER_QUESTION);
    for (const key of some) {
      const entry = state.entries.get(key);
      if (entry !== undefined) entry.isBeingAsked = true;
    }
    state.waiting.push(some);
  }
  pump(state);
}

function pump(state: State): void {
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

async function question(state: State, keys: readonly string[]): Promise<void> {
  const { clock, counting, entries, settings, rareLog, client } = state;
  const askedAtMs = clock.epochMs();
  const marks = new Map<string, Mark>();
  for (const key of keys) {
    const entry = entries.get(key);
    const { customer, access } = entry?.known ?? {};
    if (customer !== undefined) marks.set(key, counting.mark(customer.id, customer.subjects, access?.allowance));
    if (entry !== undefined) entry.lastAskedAtMs = askedAtMs;
  }
  try {
    const found = readAnswer(await client.ask(keys), settings.featureKey, askedAtMs);
    state.isBackendUp = true;
    Object.assign(state.hasChanged, { known: true, admissions: true });
    takeOver(state, found, marks);
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
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry !== undefined) entry.isBeingAsked = false;
    }
  }
}

function takeOver(
  { entries, counting }: State,
  found: ReadonlyMap<string, Known>,
  marks: ReadonlyMap<string, Mark>,
): void {
  const done = new Set<string>();
  for (const [key, known] of found) {
    const entry = entries.get(key);
    if (entry === undefined) continue;
    const before = entry.known;
    entry.known = known;
    const { customer } = known;
    if (customer === undefined) continue;
    counting.answered(customer.id, marks.get(key), known);
    // A customer known by several keys is counted once.
    if (done.has(customer.id)) continue;
    done.add(customer.id);
    counting.counted(customer.id, before, known);
  }
}
