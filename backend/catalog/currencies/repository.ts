import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { CostBasis, CustomCurrency } from './schema.ts';

interface CurrencyRow {
  id: string;
  code: string;
  name: string;
  symbol: string | null;
  digits: number;
  decimal_mark: string;
  thousand_separator: string;
  created_at: string;
}

interface CostBasisRow {
  id: string;
  currency_id: string;
  fiat_code: string;
  rate: string;
  effective_from: string;
  effective_to: string | null;
  created_at: string;
}

interface Tables {
  custom_currencies: CurrencyRow;
  currency_cost_bases: CostBasisRow;
}

/** Stored custom currencies and their cost bases. */
export function currencyRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  const bases = (currencyId: string) => tables.selectFrom('currency_cost_bases').where('currency_id', '=', currencyId);
  return {
    all: async (): Promise<CustomCurrency[]> =>
      (await tables.selectFrom('custom_currencies').selectAll().orderBy('code').execute()).map(toCurrency),
    byId: async (id: string): Promise<CustomCurrency | undefined> => {
      const row = await tables.selectFrom('custom_currencies').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toCurrency(row);
    },
    byCode: async (code: string): Promise<CustomCurrency | undefined> => {
      const row = await tables.selectFrom('custom_currencies').selectAll().where('code', '=', code).executeTakeFirst();
      return row && toCurrency(row);
    },
    insert: async (currency: CustomCurrency): Promise<void> => {
      await tables.insertInto('custom_currencies').values(toCurrencyRow(currency)).execute();
    },
    /** Cost bases that hold at the instant or later, of one fiat code or all, in their order. */
    currentCostBases: async (currencyId: string, atMs: number, fiatCode?: string): Promise<CostBasis[]> => {
      const at = toStoredInstant(atMs);
      const rows = await bases(currencyId)
        .selectAll()
        .where((eb) => eb.or([eb('effective_to', 'is', null), eb('effective_to', '>', at)]))
        .$if(fiatCode !== undefined, (query) => query.where('fiat_code', '=', fiatCode ?? ''))
        .orderBy('fiat_code')
        .orderBy('effective_from')
        .execute();
      return rows.map(toCostBasis);
    },
    /** The latest first. */
    costBasisPage: async (currencyId: string, fiatCode: string | undefined, page: PageRequest) => {
      const own = bases(currencyId).$if(fiatCode !== undefined, (query) =>
        query.where('fiat_code', '=', fiatCode ?? ''),
      );
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await own
        .selectAll()
        .orderBy('effective_from', 'desc')
        .orderBy('id', 'desc')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { costBases: rows.map(toCostBasis), total };
    },
    insertCostBasis: async (currencyId: string, basis: CostBasis): Promise<void> => {
      const row: CostBasisRow = {
        id: basis.id,
        currency_id: currencyId,
        fiat_code: basis.fiat_code,
        rate: basis.rate,
        effective_from: toStoredInstant(basis.effective_from),
        effective_to: basis.effective_to === undefined ? null : toStoredInstant(basis.effective_to),
        created_at: toStoredInstant(basis.created_at),
      };
      await tables.insertInto('currency_cost_bases').values(row).execute();
    },
    endCostBasis: async (id: string, at: string): Promise<void> => {
      const values = { effective_to: toStoredInstant(at) };
      await tables.updateTable('currency_cost_bases').set(values).where('id', '=', id).execute();
    },
  };
}

function toCurrencyRow(currency: CustomCurrency): CurrencyRow {
  return {
    id: currency.id,
    code: currency.code,
    name: currency.name,
    symbol: currency.symbol ?? null,
    digits: currency.precision,
    decimal_mark: currency.decimal_mark,
    thousand_separator: currency.thousand_separator,
    created_at: toStoredInstant(currency.created_at),
  };
}

function toCurrency(row: CurrencyRow): CustomCurrency {
  return {
    type: 'custom',
    id: row.id,
    code: row.code,
    name: row.name,
    ...(row.symbol !== null && { symbol: row.symbol }),
    precision: row.digits,
    decimal_mark: row.decimal_mark,
    thousand_separator: row.thousand_separator,
    created_at: fromStoredInstant(row.created_at),
  };
}

function toCostBasis(row: CostBasisRow): CostBasis {
  return {
    id: row.id,
    fiat_code: row.fiat_code,
    rate: row.rate,
    effective_from: fromStoredInstant(row.effective_from),
    ...(row.effective_to !== null && { effective_to: fromStoredInstant(row.effective_to) }),
    created_at: fromStoredInstant(row.created_at),
  };
}
