import type { Clock } from '../../delivery/clock.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import type { UsageFeedReader } from '../usage-feed/receiver.ts';
import { createAccessClient } from './access-client.ts';
import { type Asking, askDue, askSoon, type Entry, waitForAnswer } from './asking.ts';
import type { AccessSettings, DecisionSettings } from './config.ts';
import { createCounting } from './counting.ts';
import { type Decision, decide } from './decide.ts';
import type { Known } from './knowledge.ts';
import type { SavedState } from './state-file.ts';

/** Knows the customers of one feature, and keeps what it knows fresh in the background. */
export interface Enforcer {
  /** Decides about one request, at once. @param key of the customer; undefined: the request names nobody */
  check(key: string | undefined, settings: DecisionSettings): Decision;
  /**
   * Waits for what a provisional decision lacks, and decides once more. Not longer than `waitMs`; at once when too many
   * wait, or nothing is to be waited for.
   */
  checkAgain(key: string, settings: DecisionSettings, waitMs: number): Promise<Decision>;
  /** What is worth keeping over a restart. @param all whether also what has not changed since the last time */
  save(all?: boolean): Partial<SavedState>;
}

/** Keys known at a time; the one asked about longest ago goes. Ten thousand are some ten megabytes. */
const MAX_KEYS = 10_000;
const TOO_OLD_TO_KEEP_MS = 86_400_000;

export function createEnforcer(
  settings: AccessSettings,
  deps: { clock: Clock; rareLog: RareLog; feed: UsageFeedReader | undefined; saved?: SavedState | undefined },
): Enforcer {
  const { clock, rareLog, feed, saved } = deps;
  const state: Asking = {
    settings,
    clock,
    rareLog,
    client: createAccessClient(settings, () => clock.epochMs()),
    counting: createCounting(feed),
    entries: new Map(),
    urgent: new Set(),
    waiting: [],
    questions: 0,
    requestsWaiting: 0,
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
    check: (key, decision) => (key === undefined ? checkNobody(state, decision) : checkKey(state, key, decision)),
    async checkAgain(key, decision, waitMs) {
      await waitForAnswer(state, use(state, key), key, waitMs);
      return checkKey(state, key, decision);
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

/** The request names nobody: that nobody has access is known without asking. */
function checkNobody({ clock, counting, settings }: Asking, decision: DecisionSettings): Decision {
  const nowMs = clock.epochMs();
  const known: Known = {
    customer: undefined,
    access: { hasAccess: false, reason: 'CUSTOMER_NOT_FOUND', allowance: undefined },
    askedAtMs: nowMs,
  };
  return decide({ known, isBackendUp: true, counting, nowMs, syncRateMs: settings.syncRateMs }, decision);
}

function checkKey(state: Asking, key: string, decision: DecisionSettings): Decision {
  const { clock, counting, isBackendUp, settings } = state;
  const nowMs = clock.epochMs();
  const entry = use(state, key);
  const { known } = entry;
  const verdict = decide({ known, isBackendUp, counting, nowMs, syncRateMs: settings.syncRateMs }, decision);
  if (known === undefined || verdict.asksAgain === true || isOutdated(state, entry, nowMs)) {
    askSoon(state, key, entry);
  }
  if (verdict.isAllowed && known?.customer !== undefined) {
    counting.admit(known.customer.id, verdict.units ?? 0, nowMs);
    state.hasChanged.admissions = true;
  }
  return verdict;
}

function restore(state: Asking, saved: SavedState | undefined): void {
  const nowMs = state.clock.epochMs();
  for (const [key, known] of Object.entries(saved?.known ?? {})) {
    if (known === undefined || nowMs - known.askedAtMs > TOO_OLD_TO_KEEP_MS) continue;
    // As if used by now, so that the first round asks for it.
    state.entries.set(key, { ...newEntry(state.clock.now()), known });
    state.counting.learn(known.customer);
  }
  state.counting.restore(saved?.admissions ?? {}, nowMs);
}

/** The entry of a key, as the one used last. */
function use({ entries, clock }: Asking, key: string): Entry {
  const nowMs = clock.now();
  const entry = entries.get(key) ?? newEntry(nowMs);
  entries.delete(key);
  entries.set(key, entry);
  entry.lastUsedAtMs = nowMs;
  const [oldest] = entries.keys();
  if (entries.size > MAX_KEYS && oldest !== undefined) entries.delete(oldest);
  return entry;
}

/** Idle customers are asked for rarely: with their first request what is known of them is asked anew. */
function isOutdated({ settings }: Asking, { known }: Entry, nowMs: number): boolean {
  return known !== undefined && nowMs - known.askedAtMs > 2 * settings.syncRateMs;
}

function newEntry(nowMs: number): Entry {
  return {
    known: undefined,
    lastUsedAtMs: nowMs,
    lastAskedAtMs: Number.NEGATIVE_INFINITY,
    isBeingAsked: false,
    requests: new Set(),
  };
}
