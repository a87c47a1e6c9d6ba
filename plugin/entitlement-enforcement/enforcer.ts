import type { Clock } from '../../delivery/clock.ts';
import type { RareLog } from '../../delivery/rare-log.ts';
import type { UsageFeedReader } from '../usage-feed/receiver.ts';
import { createAccessClient } from './access-client.ts';
import { type Asking, askDue, askSoon, type Entry, forget, waitForAnswer } from './asking.ts';
import type { AccessSettings, DecisionSettings } from './config.ts';
import { createCounting } from './counting.ts';
import { isNearlyEmpty, TIGHT_MS } from './credit.ts';
import { type Decision, decide, type Facts } from './decide.ts';
import type { Credit, Known } from './knowledge.ts';
import { Lease } from './leasing.ts';
import type { SavedState } from './state-file.ts';

/** Knows the customers of one feature, and keeps what it knows fresh in the background. */
export interface Enforcer {
  /**
   * Decides about one request, at once.
   * @param key of the customer; undefined: the request names nobody
   * @param units that it counts for until its usage is known; undefined: as the settings and the meter say
   */
  check(key: string | undefined, settings: DecisionSettings, units?: number): Decision;
  /**
   * Waits for what a provisional decision lacks, and decides once more. Not longer than `waitMs`; at once when too many
   * wait, or nothing is to be waited for.
   */
  checkAgain(key: string, settings: DecisionSettings, waitMs: number, units?: number): Promise<Decision>;
  /** What of a customer's credit this node has let through and the backend has not counted, in its currency. */
  spent(customerId: string, currency: string): number;
  /** What is worth keeping over a restart. @param all whether also what has not changed since the last time */
  save(all?: boolean): Partial<SavedState>;
}

/** Keys known at a time; the one asked about longest ago goes. Ten thousand are some ten megabytes. */
const MAX_KEYS = 10_000;
const TOO_OLD_TO_KEEP_MS = 86_400_000;

/** What an enforcer shares with those of other features, and what was known before. */
export interface EnforcerDeps {
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly feed: UsageFeedReader | undefined;
  readonly saved?: SavedState | undefined;
  /** What the enforcers of other features have spent. */
  readonly spentElsewhere?: ((customerId: string, currency: string) => number) | undefined;
}

export function createEnforcer(settings: AccessSettings, deps: EnforcerDeps): Enforcer {
  const { clock, rareLog, feed, saved, spentElsewhere } = deps;
  const byCustomer = new Map<string, Known>();
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
    byCustomer,
    spentElsewhere,
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
    check: (key, decision, units) =>
      key === undefined ? checkNobody(state, decision) : checkKey(state, key, decision, units),
    spent: (customerId, currency) => spentOf(state, byCustomer.get(customerId), currency),
    async checkAgain(key, decision, waitMs, units) {
      const untilMs = clock.now() + waitMs;
      let verdict: Decision;
      // What is leased may be less than a request needs, and the next answer has more.
      do {
        await waitForAnswer(state, use(state, key), key, untilMs - clock.now());
        verdict = checkKey(state, key, decision, units);
      } while (settings.leases && !verdict.isAllowed && verdict.isProvisional === true && clock.now() < untilMs);
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

function checkKey(state: Asking, key: string, decision: DecisionSettings, units: number | undefined): Decision {
  const { clock, counting, isBackendUp, settings, spentElsewhere } = state;
  const nowMs = clock.epochMs();
  const entry = use(state, key);
  const { known } = entry;
  const { customer } = known ?? {};
  const lease = settings.leases ? { units: entry.lease.units(clock.now()) } : undefined;
  const spent = customer && spentElsewhere && (({ currency }: Credit) => spentElsewhere(customer.id, currency));
  const { syncRateMs } = settings;
  const facts: Facts = { known, isBackendUp, counting, nowMs, syncRateMs, lease, spentElsewhere: spent, units };
  const verdict = decide(facts, decision);
  if (verdict.isAllowed && customer !== undefined) {
    counting.admit(customer.id, verdict.units ?? 0, nowMs);
    entry.lease.admit(verdict.units ?? 0);
    state.hasChanged.admissions = true;
  } else if (known === undefined || verdict.reason === 'NO_CREDIT_AVAILABLE') {
    entry.lease.lack(verdict.units ?? units ?? decision.unitsPerRequest ?? 1);
  }
  if (known === undefined || verdict.asksAgain === true || isOutdated(state, entry, nowMs)) {
    askSoon(state, key, entry);
  }
  return verdict;
}

function spentOf({ counting, clock }: Asking, known: Known | undefined, currency: string): number {
  const { credit } = known?.access ?? {};
  if (known === undefined || credit === undefined || credit.currency !== currency) return 0;
  return counting.uncounted(known, clock.epochMs()) * credit.unitCost;
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
function use(state: Asking, key: string): Entry {
  const { entries, clock } = state;
  const nowMs = clock.now();
  const entry = entries.get(key) ?? newEntry(nowMs);
  entries.delete(key);
  entries.set(key, entry);
  entry.lastUsedAtMs = nowMs;
  const [oldest] = entries.keys();
  if (entries.size > MAX_KEYS && oldest !== undefined) forget(state, oldest);
  return entry;
}

/**
 * Idle customers are asked for rarely: with their first request what is known of them is asked anew. So is credit that is
 * nearly used up, and a lease before it is.
 */
function isOutdated({ settings, counting, clock }: Asking, { known, lease }: Entry, nowMs: number): boolean {
  if (known === undefined) return false;
  const ageMs = nowMs - known.askedAtMs;
  if (ageMs > 2 * settings.syncRateMs) return true;
  const { credit } = known.access;
  if (credit === undefined) return false;
  const uncounted = counting.uncounted(known, nowMs);
  if (settings.leases) return lease.isLow(uncounted, clock.now());
  return ageMs >= TIGHT_MS && isNearlyEmpty(credit, uncounted, lease.pace(clock.now()));
}

function newEntry(nowMs: number): Entry {
  return {
    known: undefined,
    lastUsedAtMs: nowMs,
    lastAskedAtMs: Number.NEGATIVE_INFINITY,
    isBeingAsked: false,
    requests: new Set(),
    lease: new Lease(),
  };
}
