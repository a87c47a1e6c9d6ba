/**
 * Rows are numbered by the transaction that stores them: its number times 4096, and the place of the event. So whoever
 * knows which transactions a moment has seen knows which rows. 2^41 transactions are 70 years of 1,000 a second.
 */
export const ROWS_OF_BATCH = 4096;

export function firstRowOf(batch: number): number {
  return batch * ROWS_OF_BATCH;
}

/** The row of an event of a transaction that has taken these numbers. */
export function rowOf(batches: readonly number[], index: number): number {
  return firstRowOf(batches[Math.floor(index / ROWS_OF_BATCH)] as number) + (index % ROWS_OF_BATCH);
}
