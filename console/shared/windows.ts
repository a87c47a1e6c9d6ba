/** What windows of usage were asked for. */
export interface WindowRequest {
  from?: string | undefined;
  to?: string | undefined;
  granularity?: string | undefined;
  time_zone?: string | undefined;
}

/** More bars than this are no picture: then only those with usage are drawn. */
const MAX_WINDOWS = 2_000;
const MINUTE_MS = 60_000;
const FIXED_MS: Record<string, number> = { PT1M: MINUTE_MS, PT1H: 60 * MINUTE_MS };

/**
 * Where the windows of a request begin, as the API writes instants. Days and months begin at midnight of the zone.
 * @returns none when there are too many of them to be drawn
 */
export function windowStarts({ from, to, granularity = 'P1D', time_zone: zone = 'UTC' }: WindowRequest): string[] {
  if (from === undefined || to === undefined) return [];
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const stepMs = FIXED_MS[granularity];
  const starts: number[] = [];
  if (stepMs !== undefined) {
    if ((toMs - fromMs) / stepMs > MAX_WINDOWS) return [];
    for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs < toMs; atMs += stepMs) starts.push(atMs);
  } else {
    const first = new Date(fromMs + offsetMs(fromMs, zone));
    const [year, month, day] = [first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()];
    for (let index = 0; index <= MAX_WINDOWS; index += 1) {
      const local = granularity === 'P1M' ? Date.UTC(year, month + index, 1) : Date.UTC(year, month, day + index);
      const atMs = instantOf(local, zone);
      if (atMs >= toMs) break;
      if (atMs >= fromMs) starts.push(atMs);
    }
  }
  return starts.map((atMs) => new Date(atMs).toISOString().replace('.000Z', 'Z'));
}

/** The instant of a zone's local time. @param localMs the local time, as if it were UTC */
function instantOf(localMs: number, zone: string): number {
  const guess = localMs - offsetMs(localMs, zone);
  return localMs - offsetMs(guess, zone);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far a zone is ahead of UTC at an instant. */
function offsetMs(atMs: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  formats.set(zone, format);
  const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}
