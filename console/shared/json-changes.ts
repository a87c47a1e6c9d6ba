/** One place where two JSON values differ. */
export interface JsonChange {
  /** "rate_cards.0.price.amount" */
  path: string;
  /** As JSON; undefined: there was none. */
  before: string | undefined;
  after: string | undefined;
}

/** More than this nobody reads one by one; the whole values stand beside them. */
const MAX_CHANGES = 100;

/** Where two JSON values differ, down to the smallest parts, at most a hundred. Arrays are compared place by place. */
export function jsonChanges(before: unknown, after: unknown): JsonChange[] {
  const changes: JsonChange[] = [];
  compare('', before, after, changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: JsonChange[]): void {
  if (changes.length >= MAX_CHANGES) return;
  if (isNested(before) && isNested(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(path === '' ? name : `${path}.${name}`, before[name], after[name], changes);
    }
    return;
  }
  const [old, next] = [JSON.stringify(before), JSON.stringify(after)];
  if (old !== next) changes.push({ path, before: old, after: next });
}

function isNested(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
