import type { Sqlite } from '../../../platform/db/sqlite.ts';

/** Numbers for the combinations of dimension values of one series, made on first use. Belongs to the writer. */
export interface Tuples {
  /** To be called inside the transaction that uses the number. */
  idOf(texts: readonly string[]): number;
}

export interface TupleLimits {
  /** A dimension with more values is wide. */
  maxDimensionValues: number;
  /** More combinations than this make the dimension with the most values wide, and again after as many more. */
  maxTuples: number;
}

/** Longer values are identifiers or payloads: no dimension that anyone groups by. */
const MAX_VALUE_LENGTH = 1024;

type Node = Map<string, Node | number>;

/**
 * Opens the combinations of a series. A dimension that has too many values is marked wide and left empty in new tuples:
 * its cells would be as many as its events, and a query that asks for it reads the events.
 */
export function openTuples(
  db: Sqlite,
  series: number,
  dimensions: readonly string[],
  alreadyWide: readonly string[],
  limits: TupleLimits,
): Tuples {
  const insert = db.prepare('INSERT INTO rollup_tuples (series, texts) VALUES (?, ?)');
  const setWide = db.prepare('UPDATE rollup_series SET wide = ? WHERE series = ?');
  const wide = dimensions.map((name) => alreadyWide.includes(name));
  const seen = dimensions.map(() => new Set<string>());
  const root: Node = new Map();
  let count = 0;

  const put = (texts: readonly string[], id: number): void => {
    let node = root;
    for (const text of texts.slice(0, -1)) {
      let next = node.get(text) as Node | undefined;
      if (next === undefined) {
        next = new Map();
        node.set(text, next);
      }
      node = next;
    }
    node.set(texts.at(-1) ?? '', id);
    for (const [index, text] of texts.entries()) seen[index]?.add(text);
    count++;
  };
  const stored = db.prepare('SELECT tuple_id, texts FROM rollup_tuples WHERE series = ?').all(series);
  for (const { tuple_id, texts } of stored as { tuple_id: number; texts: string }[]) {
    put(JSON.parse(texts) as string[], tuple_id);
  }

  const find = (texts: readonly string[]): number | undefined => {
    let node: Node | number | undefined = root;
    for (let index = 0; index < texts.length; index++) {
      if (node === undefined) return undefined;
      node = (node as Node).get(wide[index] ? '' : (texts[index] as string));
    }
    return node as number | undefined;
  };
  const markWide = (index: number): void => {
    wide[index] = true;
    setWide.run(JSON.stringify(dimensions.filter((_, at) => wide[at])), series);
  };
  const widen = (texts: readonly string[]): void => {
    for (const [index, text] of texts.entries()) {
      const values = seen[index] as Set<string>;
      const isNewValue = !values.has(text);
      if (wide[index] || !isNewValue) continue;
      if (text.length > MAX_VALUE_LENGTH || values.size >= limits.maxDimensionValues) markWide(index);
    }
    const markings = wide.filter(Boolean).length;
    if (count < limits.maxTuples * (markings + 1)) return;
    const sizes = seen.map((values, index) => (wide[index] ? -1 : values.size));
    const largest = sizes.indexOf(Math.max(...sizes));
    if (largest >= 0 && !wide[largest]) markWide(largest);
  };

  return {
    idOf(texts) {
      if (texts.length === 0) return 0;
      const known = find(texts);
      if (known !== undefined) return known;
      widen(texts);
      const narrowed = texts.map((text, index) => (wide[index] ? '' : text));
      const again = find(narrowed);
      if (again !== undefined) return again;
      const id = Number(insert.run(series, JSON.stringify(narrowed)).lastInsertRowid);
      put(narrowed, id);
      return id;
    },
  };
}
