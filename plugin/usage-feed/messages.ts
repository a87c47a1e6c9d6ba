/** What a meter may add up of an event: that it happened, or one of these properties of its data. */
export const MEASURES = ['count', 'tokens', 'request_size_bytes', 'response_size_bytes'] as const;
export type Measure = (typeof MEASURES)[number];

/** One number for each measure, in their order. */
export type Amounts = readonly number[];

/** Events of one type. Both only ever grow; what lies between them has not reached the backend. */
export interface TypeTotals {
  readonly made: Amounts;
  readonly settled: Amounts;
}

/**
 * All that a metering process has counted of one subject since the connection was made, and what was on its way
 * shortly before:
 * totals, not changes, so that a lost line does no harm. Sent whenever they have changed.
 */
export interface FeedMessage {
  readonly subject: string;
  /** Another number: the process had forgotten the subject, and its totals begin at zero again. */
  readonly generation: number;
  /** Requests that came to their end and were let through before. */
  readonly logged: number;
  readonly types: Readonly<Record<string, TypeTotals>>;
}

export const NO_AMOUNTS: Amounts = MEASURES.map(() => 0);

export function add(a: Amounts, b: Amounts, sign: 1 | -1 = 1): Amounts {
  return MEASURES.map((_, index) => (a[index] ?? 0) + sign * (b[index] ?? 0));
}

/** The message as a line of text. */
export function writeMessage({ subject, generation, logged, types }: FeedMessage): string {
  const pairs = Object.entries(types).map(([type, { made, settled }]) => [type, made, settled]);
  return `${JSON.stringify([subject, generation, logged, pairs])}\n`;
}

/** `undefined` when the line is no message: another version may run during an upgrade. */
export function readMessage(line: string): FeedMessage | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const [subject, generation, logged, pairs] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (typeof subject !== 'string' || !isCount(generation) || !isCount(logged) || !Array.isArray(pairs))
    return undefined;
  const types: [string, TypeTotals][] = [];
  for (const pair of pairs as unknown[]) {
    const [type, made, settled] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof type !== 'string' || !isAmounts(made) || !isAmounts(settled)) return undefined;
    types.push([type, { made, settled }]);
  }
  return { subject, generation, logged, types: Object.fromEntries(types) };
}

/**
 * Whether the sender is delivering what a dead process has left. It says so first of all, and when it has changed: what
 * the dead one had not delivered is on its way until nobody says so any more.
 */
export function writeStatus(isAdopting: boolean): string {
  return `${JSON.stringify({ adopting: isAdopting })}\n`;
}

/** `undefined` when the line is no status. */
export function readStatus(line: string): boolean | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { adopting } = JSON.parse(line) as { adopting?: unknown };
    return typeof adopting === 'boolean' ? adopting : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function isAmounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length === MEASURES.length && value.every(isCount);
}
