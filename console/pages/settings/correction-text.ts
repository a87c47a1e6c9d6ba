import type { Correction } from '../../api/corrections.ts';

type Filter = Correction['filter'];

/** In the words of the list of events. */
const OPERATORS: Record<string, string> = {
  eq: 'is',
  in: 'is one of',
  gte: 'from',
  gt: 'after',
  lte: 'to',
  lt: 'before',
};

/** The ids of the customers that a filter names. */
export function customersOf(filter: Filter): string[] {
  return comparisonsOf(filter['customer_id']).flatMap(({ values }) => values);
}

/**
 * A correction's filter in words: { subject: { in: ['a', 'b'] } } → "subject is one of a, b".
 * @param nameOf of a customer, by its id
 */
export function conditionsOf(filter: Filter, nameOf: (customerId: string) => string): string[] {
  return Object.entries(filter).flatMap(([field, condition]) =>
    comparisonsOf(condition).map(({ operator, values }) => {
      const texts = field === 'customer_id' ? values.map(nameOf) : values;
      return [field.replace('_id', '').replace('_', ' '), OPERATORS[operator] ?? operator, texts.join(', ')].join(' ');
    }),
  );
}

/** "x" means the same as { eq: "x" }. */
function comparisonsOf(condition: unknown): { operator: string; values: string[] }[] {
  if (condition === undefined || condition === null) return [];
  if (typeof condition !== 'object') return [{ operator: 'eq', values: [String(condition)] }];
  return Object.entries(condition).map(([operator, value]) => ({ operator, values: [value].flat().map(String) }));
}
