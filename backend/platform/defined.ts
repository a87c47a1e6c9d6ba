/** Values that may be missing become properties that may be missing. */
export type Defined<T> = {
  [Key in keyof T as undefined extends T[Key] ? never : null extends T[Key] ? never : Key]: T[Key];
} & {
  [Key in keyof T as undefined extends T[Key] ? Key : null extends T[Key] ? Key : never]?: Exclude<
    T[Key],
    undefined | null
  >;
};

/** The text; undefined for the empty one, where that says as little as none. */
export function filled(text: string | null | undefined): string | undefined {
  return text === '' || text === null ? undefined : text;
}

/** The object without the properties that are undefined or null, so that a value has one form in JSON and comparisons. */
export function defined<T extends object>(values: T): Defined<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as Defined<T>;
}
