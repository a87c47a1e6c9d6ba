/** Cadences as the catalog keeps them: ISO 8601 texts that were checked at the border. */
import {
  cadencesAlign as align,
  type IsoDuration,
  isAtLeastAnHour as isAnHour,
  isSameDuration,
  parseIsoDuration,
} from '../../platform/iso-duration.ts';

/** Whether two cadences fit together: they are the same, or one divides the other. */
export function cadencesAlign(one: string, other: string): boolean {
  return align(read(one), read(other));
}

/** Whether both stand for the same time wherever in the calendar: "P1Y" and "P12M". */
export function isSameCadence(one: string, other: string): boolean {
  return isSameDuration(read(one), read(other));
}

export function isAtLeastAnHour(text: string): boolean {
  return isAnHour(read(text));
}

function read(text: string): IsoDuration {
  const duration = parseIsoDuration(text);
  if (duration === undefined) throw new Error(`not a checked duration: ${text}`);
  return duration;
}
