/** What bounds a query. */
export interface QueryLimits {
  /** Asked now and then; a query that nobody waits for ends with an error. */
  isCancelled: () => boolean;
  /** Rows of the answer; a query that would have more is refused as soon as it is known. */
  maxRows: number;
}

/** What a reader's answer says beside its reason when the fault is the question's: it is no failure of the store. */
export interface RefusedQuery extends Error {
  isRefused: true;
}

export function refusedQuery(message: string): RefusedQuery {
  return Object.assign(new Error(message), { isRefused: true as const });
}

export function isRefusedQuery(error: unknown): error is RefusedQuery {
  return error instanceof Error && 'isRefused' in error;
}

/** More windows than this are no picture; with fifty groups they are some 100,000 figures. */
const MAX_WINDOWS = 2000;

/** @throws RefusedQuery when a breakdown would have more windows than can be drawn */
export function refuseTooManyWindows(windows: number): void {
  if (windows <= MAX_WINDOWS) return;
  throw refusedQuery(
    `The answer would have more than ${MAX_WINDOWS.toLocaleString('en')} windows: ask for a shorter time, or for longer windows.`,
  );
}

/** @throws RefusedQuery when the answer would have more rows than the limit */
export function refuseTooMany(rows: number, { maxRows }: QueryLimits): void {
  if (rows <= maxRows) return;
  throw refusedQuery(
    `The answer would have more than ${maxRows.toLocaleString('en')} rows: ask for a shorter time, for longer windows, ` +
      'for fewer dimensions to group by, or for fewer subjects.',
  );
}
