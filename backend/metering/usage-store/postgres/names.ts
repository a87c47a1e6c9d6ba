import { createByteCache } from '../../../platform/byte-cache.ts';
import { type Database, type PgClient, textArray } from './database.ts';
import { hashTexts } from './identity.ts';

/**
 * Numbers for texts that repeat, made on first use in transactions of their own: nobody who stores events holds the lock on
 * a new name until the commit. They are never removed, so each process may remember them.
 */
export interface Names {
  /** Numbers of texts, in their order; those that are missing are made. */
  idsOf(texts: Iterable<string>): Promise<ReadonlyMap<string, number>>;
  /** Notes which of them are sources. */
  addSources(ids: Iterable<number>): Promise<void>;
  /** Numbers of those that are known. */
  findIds(client: PgClient, texts: readonly string[]): Promise<number[]>;
  /** The texts behind numbers. */
  textsOf(client: PgClient, ids: Iterable<number>): Promise<ReadonlyMap<number, string>>;
}

/** Some 100,000 short texts each way. */
const MAX_REMEMBERED_BYTES = 16_777_216;
const MAX_REMEMBERED_SOURCES = 100_000;

export function openNames(db: Database): Names {
  const ids = createByteCache<number>(MAX_REMEMBERED_BYTES);
  const texts = createByteCache<string>(MAX_REMEMBERED_BYTES);
  const find = async (client: PgClient, wanted: readonly string[]): Promise<ReadonlyMap<string, number>> => {
    const found = new Map<string, number>();
    const unknown = wanted.filter((text) => {
      const id = ids.get(text);
      if (id !== undefined) found.set(text, id);
      return id === undefined;
    });
    if (unknown.length === 0) return found;
    const { rows } = await client.query<{ name_id: number; text: string }>(
      'SELECT name_id, text FROM names WHERE hash = ANY($1::uuid[])',
      [textArray(unknown.map((text) => hashTexts(text)))],
    );
    for (const { name_id, text } of rows) {
      ids.set(text, name_id);
      found.set(text, name_id);
    }
    return found;
  };
  const sources = new Set<number>();
  return {
    async addSources(added) {
      const missing = [...new Set(added)].filter((id) => !sources.has(id)).sort((a, b) => a - b);
      if (missing.length === 0) return;
      if (sources.size >= MAX_REMEMBERED_SOURCES) sources.clear();
      await db.withClient((client) =>
        client.query('INSERT INTO sources SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING', [missing]),
      );
      for (const id of missing) sources.add(id);
    },
    async idsOf(iterable) {
      const wanted = [...new Set(iterable)];
      const known = new Map(wanted.flatMap((text) => toEntry(text, ids.get(text))));
      if (known.size === wanted.length) return known;
      return db.withClient(async (client) => {
        const found = new Map(await find(client, wanted));
        // In one order, so that none of two who make the same names waits for the other in a circle.
        const missing = wanted.filter((text) => !found.has(text)).sort();
        if (missing.length === 0) return found;
        await client.query(
          'INSERT INTO names (hash, text) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING',
          [textArray(missing.map((text) => hashTexts(text))), textArray(missing)],
        );
        for (const [text, id] of await find(client, missing)) found.set(text, id);
        return found;
      });
    },
    findIds: async (client, wanted) => [...(await find(client, [...new Set(wanted)])).values()],
    async textsOf(client, wanted) {
      const found = new Map<number, string>();
      const unknown: number[] = [];
      for (const id of new Set(wanted)) {
        const text = texts.get(String(id));
        if (text === undefined) unknown.push(id);
        else found.set(id, text);
      }
      if (unknown.length === 0) return found;
      const { rows } = await client.query<{ name_id: number; text: string }>(
        'SELECT name_id, text FROM names WHERE name_id = ANY($1::bigint[])',
        [unknown],
      );
      for (const { name_id, text } of rows) {
        texts.set(String(name_id), text);
        found.set(name_id, text);
      }
      return found;
    },
  };
}

function toEntry(text: string, id: number | undefined): [string, number][] {
  return id === undefined ? [] : [[text, id]];
}
