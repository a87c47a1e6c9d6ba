/** A JSON object whose fields nobody has looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value if it is a JSON object; `undefined` for everything else, arrays and null among them. */
export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/**
 * The own field of an object. Names come from configuration and from clients: `constructor` or `__proto__` must not
 * find what every JavaScript object inherits.
 */
export function fieldOf(object: JsonObject | undefined, name: string): unknown {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The value if it is a string with something in it. Kong writes `""` for what it does not know. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value if it is an exact integer from 0 up: a count, a size, a port, a status. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The elements of an array; none for everything else. An empty Lua table arrives as `{}`, so that is an empty array, too. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
