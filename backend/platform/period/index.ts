export { isDivisibleBy } from '../iso-duration.ts';
export {
  addDuration,
  type Duration,
  durationFrom,
  formatDuration,
  parseDuration,
  plusDuration,
} from './duration.ts';
export {
  contains,
  intersection,
  isEmpty,
  type OpenPeriod,
  type Period,
  truncateMs,
  truncateToSeconds,
} from './period.ts';
export {
  boundaryIndexAt,
  boundaryMs,
  isBoundary,
  periodAt,
  periodsWithin,
  type Recurrence,
  recurrence,
} from './recurrence.ts';
export { toTextPeriod } from './text-period.ts';
