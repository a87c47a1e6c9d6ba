import type { Readings } from '../../customers/entitlements/index.ts';
import type { TrackJob } from '../../platform/job-log.ts';
import type { Scope } from '../../platform/scope.ts';
import { repeat } from '../deliveries/index.ts';
import type { RulesService } from '../rules/index.ts';
import { type EvaluateDeps, evaluate } from './evaluate.ts';

export interface EntitlementEventsDeps extends Pick<EvaluateDeps, 'customers'> {
  readings: Readings;
  rules: Pick<RulesService, 'inForceFor' | 'tell' | 'isAnyInForce'>;
  /** Whose subjects they are; those of nobody are absent. */
  findBySubjects(subjects: readonly string[]): Promise<ReadonlyMap<string, { id: string }>>;
}

/** What is left of entitlements is watched: after events have come, and from time to time for what time itself brings. */
export interface EntitlementEvents {
  /** Events are stored: their customers are looked at soon. Costs a look at a set. */
  onEvents(events: readonly { readonly subject: string }[]): void;
  /** Looks at the customers of the events that have come. */
  evaluateDue(): Promise<void>;
  /** Looks at everybody: grants, resets, corrections and periods that end bring no event. */
  evaluateAll(): Promise<void>;
  /** @returns ends it */
  schedule(track: TrackJob): () => Promise<void>;
}

/** With more everybody is looked at: as quick, and bounded. */
const MAX_SUBJECTS = 10_000;
/** Customers that are looked at together; in between others have the database. */
const AT_ONCE = 100;
const EVERY_MS = 1000;
const ALL_EVERY_MS = 60_000;

export function createEntitlementEvents(scope: Scope, deps: EntitlementEventsDeps): EntitlementEvents {
  const subjects = new Set<string>();
  let isOverfull = false;
  const evaluating = { ...deps, readings: deps.readings.of };
  const isWanted = () => deps.rules.isAnyInForce(['entitlements.balance.threshold', 'entitlements.reset'], scope);
  /** One that fails holds up nobody: it is looked at again with everybody. */
  const look = async (customerIds: readonly string[]) => {
    for (let start = 0; start < customerIds.length; start += AT_ONCE) {
      const some = customerIds.slice(start, start + AT_ONCE);
      await evaluate(evaluating, scope, some).catch(async () => {
        for (const id of some) await evaluate(evaluating, scope, [id]).catch((error) => failed(id, error));
      });
    }
  };
  const failed = (customerId: string, error: unknown) =>
    scope.log.error({ err: error, customerId }, "a customer's thresholds could not be looked at");
  const evaluateAll = async () => {
    isOverfull = false;
    if (!(await isWanted())) return;
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await deps.readings.customers(after, AT_ONCE);
      await look(page.customerIds);
      after = page.last;
    }
  };
  const evaluateDue = async () => {
    if (isOverfull) return evaluateAll();
    const due = [...subjects];
    subjects.clear();
    if (due.length === 0 || !(await isWanted())) return;
    const owners = await deps.findBySubjects(due);
    await look([...new Set([...owners.values()].map(({ id }) => id))]);
  };
  return {
    onEvents: (events) => {
      if (isOverfull) return;
      for (const { subject } of events) subjects.add(subject);
      if (subjects.size <= MAX_SUBJECTS) return;
      subjects.clear();
      isOverfull = true;
    },
    evaluateDue,
    evaluateAll,
    schedule: (track) => {
      const onError = (error: unknown) => scope.log.error({ err: error }, 'thresholds could not be looked at');
      const job = (work: () => Promise<void>) => () => track('thresholds', work).catch(onError);
      const stops = [repeat(EVERY_MS, job(evaluateDue)), repeat(ALL_EVERY_MS, job(evaluateAll))];
      return async () => void (await Promise.all(stops.map((stop) => stop())));
    },
  };
}
