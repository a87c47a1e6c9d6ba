import { openControlPlane, type StoredRow, storedRows } from '../../../support/control-engine.ts';

/** Who runs billing and how far it is: not what came of it. */
const NOT_COMPARED = ['billing_runs', 'billing_lease'];
const ULID = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g;
/** The number of an issued invoice or of one in the making: which customer gets which depends on who was first. */
const NUMBER = /\b(OM-SANDBOX-|GATHER-|DRAFT-)([A-Z-]+)-\d+/g;

/**
 * All tables of a control database, a sorted list of texts each, in which ids that were made by chance have names that
 * say what they are of: the same bills give the same texts.
 * @param keptIds ids that were there before
 */
export async function comparableTables(
  folder: string,
  keptIds: ReadonlySet<string>,
): Promise<Record<string, string[]>> {
  const tables = await readTables(folder);
  const names = idNames(tables);
  const comparable = Object.entries(tables).map(([table, rows]) => {
    const texts = rows.map((row) => {
      const own = new Map<string, string>();
      return JSON.stringify(row)
        .replace(ULID, (id) => {
          if (keptIds.has(id)) return id;
          const name = names.get(id) ?? own.get(id) ?? `id ${own.size + 1} of the row`;
          if (!names.has(id)) own.set(id, name);
          return name;
        })
        .replace(NUMBER, '$1$2-#');
    });
    return [table, texts.sort()] as const;
  });
  return Object.fromEntries(comparable);
}

/** All ids that stand anywhere in the tables. */
export async function allIds(folder: string): Promise<ReadonlySet<string>> {
  const ids = Object.values(await readTables(folder)).flatMap((rows) =>
    rows.flatMap((row) => JSON.stringify(row).match(ULID) ?? []),
  );
  return new Set(ids);
}

/** The numbers of issued invoices, in order. */
export async function issuedNumbers(folder: string): Promise<number[]> {
  const { invoices = [] } = await readTables(folder);
  const issued = invoices.filter(({ issued_at }) => issued_at !== null);
  return issued.map(({ number }) => Number(String(number).split('-').at(-1))).sort((a, b) => a - b);
}

async function readTables(folder: string): Promise<Record<string, StoredRow[]>> {
  const db = await openControlPlane(folder);
  try {
    const tables = Object.entries(await storedRows(db));
    return Object.fromEntries(tables.filter(([table]) => !NOT_COMPARED.includes(table)));
  } finally {
    await db.close();
  }
}

function idNames(tables: Record<string, StoredRow[]>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const name = (rows: StoredRow[] | undefined, describe: (row: StoredRow) => string) => {
    const counts = new Map<string, number>();
    for (const row of rows ?? []) {
      const text = describe(row);
      const count = counts.get(text) ?? 0;
      counts.set(text, count + 1);
      names.set(String(row['id']), count === 0 ? text : `${text} (${count + 1})`);
    }
  };
  name(tables['charges'], (row) => `charge ${row['customer_id']} ${row['reference']}`);
  name(tables['gathering_invoices'], (row) => `gathering ${row['customer_id']} ${row['currency']}`);
  name(tables['invoices'], (row) => `invoice ${row['customer_id']} ${row['service_from']} ${row['service_to']}`);
  name(tables['invoice_lines'], (row) => `line ${names.get(String(row['invoice_id']))} ${row['position']}`);
  name(tables['billing_corrections'], (row) => `correction of ${names.get(String(row['charge_id'])) ?? 'nothing'}`);
  return names;
}
