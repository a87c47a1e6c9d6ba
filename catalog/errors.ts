/** Where something stands in the file: keys and indexes from its top. */
export type Path = readonly (string | number)[];

export interface Problem {
  message: string;
  /** Missing when it concerns no place of the file. */
  path?: Path | undefined;
}

/** What the user has to put right. */
export class CatalogError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('; '));
    this.problems = problems;
  }
}

/** One problem without a place. */
export function catalogError(message: string): CatalogError {
  return new CatalogError([{ message }]);
}

/** Adds where the work was at to the problems that it throws. */
export async function at<T>(path: Path, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    throw new CatalogError(
      error.problems.map(({ message, path: inner = [] }) => ({ message, path: [...path, ...inner] })),
    );
  }
}
