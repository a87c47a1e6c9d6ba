/** Why a line has no quantity: each reason that applies, in words. */

import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { UsageScope } from '../../metering/usage-store/index.ts';
import { isZero } from '../../platform/decimal-texts.ts';
import { formatInstant } from '../../platform/instant.ts';
import { usageBehind } from '../invoice-records/index.ts';
import type { TraceDeps } from './deps.ts';
import type { EmptyReason } from './schema.ts';
import type { Traced } from './subject.ts';

/** A customer has a handful of subjects; of one with hundreds the first ones are looked at. */
const MAX_SUBJECTS = 50;
/** Other subjects named in an answer. */
const MAX_NAMED_SUBJECTS = 5;

/** @returns nothing when there is a quantity that is not zero */
export async function whyEmpty(
  deps: TraceDeps,
  scope: CustomerScope,
  traced: Traced,
  quantity: string,
): Promise<EmptyReason[]> {
  if (!isZero(quantity)) return [];
  if (traced.featureId === undefined) return [reason('not_metered', 'Nothing is metered here: it is a fee.')];
  const usage = await usageBehind(deps, scope, traced);
  if (usage === undefined) {
    return [reason('feature_without_meter', 'The feature has no meter, so nothing is counted for it.')];
  }
  const subjects = usage.subjects ?? [];
  if (subjects.length === 0) {
    return [reason('no_subjects', 'The customer has neither a key nor subject keys: no event can be its own.')];
  }
  const nowMs = scope.clock.nowMs();
  const begun = traced.period.fromMs <= nowMs;
  const reasons = begun
    ? []
    : [reason('period_not_begun', `The period begins at ${formatInstant(traced.period.fromMs)}.`)];
  return [...reasons, ...(await reasonsOfEvents(deps, usage, traced))];
}

async function reasonsOfEvents(deps: TraceDeps, usage: UsageScope, traced: Traced): Promise<EmptyReason[]> {
  const { eventType } = usage.meter;
  const reasons: EmptyReason[] = [];
  const unfiltered = await count(deps, { ...usage, filters: {} });
  if (unfiltered > 0) {
    const text = `${more(unfiltered)} of type ${eventType} in the period do not pass the filters of the feature.`;
    reasons.push(reason('events_filtered_out', text));
  }
  const [before, after] = [
    await count(deps, { ...usage, fromMs: undefined, toMs: traced.period.fromMs }),
    await count(deps, { ...usage, fromMs: traced.period.toMs, toMs: undefined }),
  ];
  if (before > 0) {
    const text = `${more(before)} happened before ${formatInstant(traced.period.fromMs)}, when the period begins.`;
    reasons.push(reason('events_outside_period', text));
  }
  if (after > 0) {
    const text = `${more(after)} happened at or after ${formatInstant(traced.period.toMs)}, when the period ends.`;
    reasons.push(reason('events_outside_period', text));
  }
  const seen = await seenOfType(deps, usage.subjects ?? [], eventType);
  if (seen.voided > 0) reasons.push(reason('events_voided', `${more(seen.voided)} were voided.`));
  if (seen.count === 0 && seen.voided === 0) {
    reasons.push(
      reason(
        'no_events',
        `No event of type ${eventType} has come from ${(usage.subjects ?? []).slice(0, MAX_NAMED_SUBJECTS).join(', ')}.`,
      ),
    );
  }
  return [...reasons, ...(await otherSubjects(deps, usage, traced))];
}

/** Somebody else's events, or nobody's: a subject that is spelled another way is the usual mistake. */
async function otherSubjects(deps: TraceDeps, usage: UsageScope, { period }: Traced): Promise<EmptyReason[]> {
  const { subjects, count: events } = await deps.tracing.subjectsSeen({
    fromMs: period.fromMs,
    toMs: period.toMs,
    type: usage.meter.eventType,
    except: usage.subjects ?? [],
    limit: MAX_NAMED_SUBJECTS,
  });
  if (events === 0) return [];
  const named = subjects.map(({ subject }) => JSON.stringify(subject)).join(', ');
  const text = `${more(events)} of type ${usage.meter.eventType} came from other subjects on these days: ${named}.`;
  return [reason('events_of_other_subjects', text)];
}

/** Counted events, as far as it takes to say so. */
async function count(deps: TraceDeps, usage: UsageScope): Promise<number> {
  const { events } = await deps.tracing.eventsBehind(usage, { size: MAX_COUNTED });
  return events.length;
}

/** Reasons say "100 or more" beyond it. */
const MAX_COUNTED = 100;
const more = (events: number) =>
  events === 1 ? 'One event' : `${events}${events === MAX_COUNTED ? ' or more' : ''} events`;

async function seenOfType(deps: TraceDeps, subjects: readonly string[], type: string) {
  const sums = { count: 0, voided: 0 };
  for (const subject of subjects.slice(0, MAX_SUBJECTS)) {
    const seen = (await deps.tracing.typesSeen(subject)).find((one) => one.type === type);
    sums.count += seen?.count ?? 0;
    sums.voided += seen?.voided ?? 0;
  }
  return sums;
}

function reason(code: EmptyReason['code'], message: string): EmptyReason {
  return { code, message };
}
