import type { SqlFragment } from './filter-sql.ts';

/** How the rows of a table are found by what people type: SQL of ours, never a client's text. */
export interface SearchedTable {
  table: string;
  /** Rows of which this holds; the others are not found. */
  living: string;
  /** What the answer says of a row besides its `id`: columns; absent ones have no such thing. */
  shows: { name: string; key?: string; version?: string; customerId?: string };
  /** Columns that may contain the text, whatever its case. An id has to be the whole text. */
  contain: readonly string[];
  /** Holds for more rows. @param text as it was typed */
  also?(text: string): SqlFragment;
}
