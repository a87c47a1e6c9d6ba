import { type Duration, durationFrom, isDivisibleBy } from '../../platform/period/index.ts';

/** Whether two cadences fit together: they are the same, or one divides the other. Both are ISO 8601 texts. */
export function cadencesAlign(one: string, other: string): boolean {
  const [first, second] = [durationFrom(one), durationFrom(other)];
  return isDivisibleBy(first, second) || isDivisibleBy(second, first);
}

/** Whether both ISO 8601 texts stand for the same time wherever in the calendar: "P1Y" and "P12M". */
export function isSameCadence(one: string, other: string): boolean {
  const [first, second] = [durationFrom(one), durationFrom(other)];
  return isDivisibleBy(first, second) && isDivisibleBy(second, first);
}

/** Whether the ISO 8601 text, which has no negative parts, stands for an hour or more. */
export function isAtLeastAnHour(text: string): boolean {
  const { hours, minutes, seconds, ...dates }: Duration = durationFrom(text);
  return Object.values(dates).some((part) => part > 0) || (hours * 60 + minutes) * 60 + seconds >= 3600;
}
