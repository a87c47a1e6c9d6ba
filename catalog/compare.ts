import { isExactNumber } from './exact-json.ts';

/**
 * What differs between two catalogs' parts, a line each: 'phases.default.rate_cards.api.price.amount: "1" → "2"'.
 * Lists of things that have a key are compared by it, wherever they stand; only phases have an order that counts.
 */
export function differences(before: unknown, after: unknown, path = ''): string[] {
  if (isExactNumber(before) || isExactNumber(after) || !isObject(before) || !isObject(after)) {
    return same(before, after) ? [] : [`${path === '' ? 'all' : path}: ${show(before)} → ${show(after)}`];
  }
  if (Array.isArray(before) !== Array.isArray(after)) return [`${path}: ${show(before)} → ${show(after)}`];
  const [old, changed] = [byName(before), byName(after)];
  const names = [...new Set([...old.keys(), ...changed.keys()])];
  const found = names.flatMap((name) =>
    differences(old.get(name), changed.get(name), path === '' ? name : `${path}.${name}`),
  );
  if (path === 'phases' && found.length === 0 && [...old.keys()].join() !== [...changed.keys()].join()) {
    return [`${path}: the order changes to ${[...changed.keys()].join(', ')}`];
  }
  return found;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function byName(value: object): Map<string, unknown> {
  const entries = Array.isArray(value)
    ? value.map((item, index): [string, unknown] => [nameOf(item) ?? String(index), item])
    : Object.entries(value);
  // A list may hold one key twice; the server refuses that, so it must not vanish here.
  const named = new Map(entries.filter(([, entry]) => entry !== undefined));
  return named.size === entries.filter(([, entry]) => entry !== undefined).length
    ? named
    : new Map(entries.map(([, entry], index) => [String(index), entry]));
}

function nameOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  if ('key' in item && typeof item.key === 'string') return item.key;
  if ('app_type' in item && typeof item.app_type === 'string') return item.app_type;
  if ('addon' in item && isObject(item.addon)) return nameOf(item.addon);
  return undefined;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Longer values would bury the rest. */
const MAX_SHOWN = 200;

function show(value: unknown): string {
  const text = value === undefined ? '(none)' : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
