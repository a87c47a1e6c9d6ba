import type { FilterCondition } from '../http/filtering.ts';

/** A piece of SQL with "?" for each parameter. */
export interface SqlFragment {
  text: string;
  params: unknown[];
}

const COMPARISONS: Partial<Record<FilterCondition['operator'], string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
};

/**
 * A filter condition as SQL.
 * @param column a column name or expression of ours, never a client's text
 * @param toColumn turns the filter's text into what the column holds (an instant into milliseconds, for example)
 */
export function filterSql(
  column: string,
  condition: FilterCondition,
  toColumn: (value: string) => unknown = (value) => value,
): SqlFragment {
  const { operator, values } = condition;
  const [value = ''] = values;
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) return { text: `${column} ${comparison} ?`, params: [toColumn(value)] };
  switch (operator) {
    case 'exists':
      return { text: `${column} IS ${value === 'true' ? 'NOT ' : ''}NULL`, params: [] };
    case 'oeq':
      return { text: `${column} IN (${values.map(() => '?').join(', ')})`, params: values.map(toColumn) };
    case 'contains':
    case 'ocontains': {
      // lower() on both sides: contains ignores case. The escape keeps % and _ literal.
      const likes = values.map(() => `lower(${column}) LIKE lower(?) ESCAPE '\\'`);
      return { text: `(${likes.join(' OR ')})`, params: values.map((item) => `%${item.replace(/[\\%_]/g, '\\$&')}%`) };
    }
    default:
      throw new Error(`operator ${operator} has no SQL`);
  }
}
