/**
 * JSON text of values that may be long: an invoice of twenty thousand lines is 30 MB, and `JSON.stringify` would be one turn
 * of the event loop.
 */

/** Lists that are longer are cut between their items. */
const ITEMS_AT_ONCE = 50;
/** Where long lists stand: in an answer, in its `data`, in a resource of these. */
const MAX_DEPTH = 4;

/** Whether the text is worth to be made in pieces. */
export function isLongJson(value: unknown, depth = MAX_DEPTH): value is object {
  if (depth === 0 || !isPlain(value)) return false;
  if (!Array.isArray(value)) return Object.values(value).some((member) => isLongJson(member, depth - 1));
  return value.length > ITEMS_AT_ONCE || value.some((item) => isLongJson(item, depth - 1));
}

/** The text that `JSON.stringify` makes, piece by piece; each takes less than some milliseconds. */
export function* jsonPieces(value: unknown, depth = MAX_DEPTH): Generator<string> {
  if (!isLongJson(value, depth)) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* listPieces(value, depth);
  else yield* objectPieces(value, depth);
}

/** Of a long list some items tell how long the others are. */
const SAMPLED_ITEMS = 16;

/** About how many characters the text will have, at a fraction of what making it costs. */
export function estimatedLength(value: unknown, depth = MAX_DEPTH): number {
  if (!isLongJson(value, depth)) return JSON.stringify(value)?.length ?? 0;
  const members = Array.isArray(value) ? value : Object.values(value);
  const step = Math.max(1, Math.floor(members.length / SAMPLED_ITEMS));
  let length = 0;
  let sampled = 0;
  for (let index = 0; index < members.length; index += step) {
    length += estimatedLength(members[index], depth - 1);
    sampled += 1;
  }
  return (length / sampled) * members.length;
}

function* listPieces(items: readonly unknown[], depth: number): Generator<string> {
  let before = '[';
  for (const item of items) {
    if (isLongJson(item, depth - 1)) {
      yield before;
      yield* jsonPieces(item, depth - 1);
    } else {
      yield before + (JSON.stringify(item) ?? 'null');
    }
    before = ',';
  }
  yield ']';
}

function* objectPieces(value: object, depth: number): Generator<string> {
  let before = '{';
  for (const [name, member] of Object.entries(value)) {
    const head = `${before}${JSON.stringify(name)}:`;
    if (isLongJson(member, depth - 1)) {
      yield head;
      yield* jsonPieces(member, depth - 1);
    } else {
      const text = JSON.stringify(member);
      if (text === undefined) continue;
      yield head + text;
    }
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

/** What is written member by member, and not as it says itself. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
