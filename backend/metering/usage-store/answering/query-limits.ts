/** What bounds a query. */
export interface QueryLimits {
  /** Asked now and then; a query that nobody waits for ends with an error. */
  isCancelled: () => boolean;
  /** Rows of the answer; a query that would have more is refused as soon as it is known. */
  maxRows: number;
  /** Characters of what these rows are named by: a row has up to 100 dimensions with values of 1,024. */
  maxCharacters: number;
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

/** Characters of what the rows of a page are named by: a page is one answer, and clients may take it slowly. */
const MAX_PAGE_CHARACTERS = 4_194_304;

/** @param lengths of the names of each row @throws RefusedQuery when they are too many for one answer */
export function refuseLongPage(lengths: readonly number[]): void {
  if (lengths.reduce((sum, length) => sum + length, 0) <= MAX_PAGE_CHARACTERS) return;
  throw refusedQuery(
    `The page would have more than ${MAX_PAGE_CHARACTERS.toLocaleString('en')} characters of dimensions and subjects: ` +
      'ask for a smaller page[size].',
  );
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

/**
 * The room that an answer has: told of each row by its key, which has all its values.
 * @param groupBy the names of dimensions, which stand in each row
 * @returns what throws RefusedQuery as soon as there are more rows, or longer ones, than the limits allow
 */
export function createRoom({ maxRows, maxCharacters }: QueryLimits, groupBy: readonly string[]): (key: string) => void {
  const charactersOfNames = groupBy.join('').length;
  let rows = 0;
  let characters = 0;
  return (key) => {
    rows += 1;
    characters += charactersOfNames + key.length;
    if (rows > maxRows) throw tooLarge(`${maxRows.toLocaleString('en')} rows`);
    if (characters > maxCharacters) {
      throw tooLarge(`${maxCharacters.toLocaleString('en')} characters of dimensions and subjects`);
    }
  };
}

function tooLarge(limit: string): RefusedQuery {
  return refusedQuery(
    `The answer would have more than ${limit}: ask for a shorter time, for longer windows, ` +
      'for fewer dimensions to group by, or for fewer subjects.',
  );
}
