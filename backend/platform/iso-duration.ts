/** ISO 8601 durations at our borders ("P1M", "P1DT12H"): whole numbers of each unit, never negative. */
export interface IsoDuration {
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

const ISO_DURATION = /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
/** No plan lasts longer, and dates that far from now still have years of four digits. */
const MAX_YEARS = 100;
const MAX_SECONDS = MAX_YEARS * 12 * 31 * 24 * 3600;
const MONTH_LENGTHS_DAYS = [28, 29, 30, 31];
/** A day has 23 or 25 hours where clocks change. */
const DAY_LENGTHS_HOURS = [23, 24, 25];

/**
 * Reads a duration. The contract's pattern also lets fractions ("P1.5M") and the bare "P" through: neither says how
 * long it is, so they are none here.
 * @returns undefined when the text is no duration of whole units, or longer than a hundred years; "PT0S" is one
 */
export function parseIsoDuration(text: string): IsoDuration | undefined {
  const match = ISO_DURATION.exec(text);
  if (match === null) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((digits: string | undefined) => Number.parseInt(digits ?? '0', 10)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const duration = { years, months, weeks, days, hours, minutes, seconds };
  return secondsOf(duration, 31, 24) <= MAX_SECONDS ? duration : undefined;
}

/** Length of the duration when each month and each day has the given length. A year is twelve months. */
function secondsOf(duration: IsoDuration, monthDays: number, dayHours: number): number {
  const days = (duration.years * 12 + duration.months) * monthDays + duration.weeks * 7 + duration.days;
  return ((days * dayHours + duration.hours) * 60 + duration.minutes) * 60 + duration.seconds;
}

/** Whether the duration is an hour or longer, whatever the calendar says. */
export function isAtLeastAnHour(duration: IsoDuration): boolean {
  return secondsOf(duration, 28, 23) >= 3600;
}

/** Whether both always have the same length: "P1Y" and "P12M", but not "P1D" and "PT24H". */
export function isSameDuration(one: IsoDuration, other: IsoDuration): boolean {
  return everyCalendar((monthDays, dayHours) => {
    return secondsOf(one, monthDays, dayHours) === secondsOf(other, monthDays, dayHours);
  });
}

/**
 * Whether a whole number (at least 1) of the smaller duration makes the larger one, whatever the lengths of months and
 * days: a month is divisible by a day, not by a week. Source: OpenMeter pkg/datetime/duration.go, DivisibleBy.
 */
export function isDivisibleBy(larger: IsoDuration, smaller: IsoDuration): boolean {
  return everyCalendar((monthDays, dayHours) => {
    const divisor = secondsOf(smaller, monthDays, dayHours);
    const dividend = secondsOf(larger, monthDays, dayHours);
    return divisor > 0 && dividend > 0 && dividend % divisor === 0;
  });
}

/** Whether two cadences fit together: one divides the other. Source: OpenMeter openmeter/productcatalog/alignment.go. */
export function cadencesAlign(one: IsoDuration, other: IsoDuration): boolean {
  return isDivisibleBy(one, other) || isDivisibleBy(other, one);
}

function everyCalendar(holds: (monthDays: number, dayHours: number) => boolean): boolean {
  return MONTH_LENGTHS_DAYS.every((monthDays) => DAY_LENGTHS_HOURS.every((dayHours) => holds(monthDays, dayHours)));
}
