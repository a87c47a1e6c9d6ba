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

/** @throws RefusedQuery when the answer would have more rows than the limit */
export function refuseTooMany(rows: number, { maxRows }: QueryLimits): void {
  if (rows <= maxRows) return;
  throw refusedQuery(
    `The answer would have more than ${maxRows.toLocaleString('en')} rows: ask for a shorter time, for longer windows, ` +
      'for fewer dimensions to group by, or for fewer subjects.',
  );
}
