import type { Scope } from '../../platform/scope.ts';
import { outboxRepository } from './repository.ts';

const DAY_MS = 86_400_000;
/** Rows removed at a time: some milliseconds, in which other changes wait. */
const REMOVED_AT_ONCE = 500;
/** What receivers answered is of use to who looks for a fault, and is much. */
const ATTEMPT_DAYS = 30;

/** Removes some of what is older: events of which nothing is on its way, and attempts. @returns whether there may be more */
export async function expireNotifications(
  scope: Scope,
  days: number,
): Promise<{ removed: number; state: 'more' | 'done' }> {
  const nowMs = scope.clock.nowMs();
  return scope.transaction(async (scope) => {
    const repository = outboxRepository(scope);
    const attempts = await repository.removeAttempts(nowMs - ATTEMPT_DAYS * DAY_MS, REMOVED_AT_ONCE);
    const events = await repository.removeEvents(nowMs - days * DAY_MS, REMOVED_AT_ONCE);
    const isMore = attempts === REMOVED_AT_ONCE || events === REMOVED_AT_ONCE;
    return { removed: attempts + events, state: isMore ? 'more' : 'done' };
  });
}
