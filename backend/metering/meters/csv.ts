import { csvLine } from '../../platform/csv.ts';
import type { AnswerText } from './answer-stream.ts';
import { type AnswerHead, toResultRow } from './query.ts';

/**
 * A query's answer as CSV (RFC 4180): from, to, [subject], [customer_id, customer_key, customer_name], the other
 * dimensions by name, value.
 */
export function csvText({ groupBy, customers }: AnswerHead): AnswerText {
  const columns = groupBy.flatMap((name) =>
    name === 'customer_id' ? ['customer_id', 'customer_key', 'customer_name'] : [name],
  );
  return {
    head: csvLine(['from', 'to', ...columns, 'value']),
    separator: '',
    tail: '',
    row: (usage) => {
      const { from, to, dimensions, value } = toResultRow(usage);
      const customer = customers.get(dimensions['customer_id'] ?? '');
      const cells: Record<string, string | undefined> = {
        ...dimensions,
        ...(customer && { customer_key: customer.key, customer_name: customer.name }),
      };
      return csvLine([from, to, ...columns.map((name) => cells[name] ?? ''), value]);
    },
  };
}

/** The contract's JSON. */
export function jsonText({ range }: AnswerHead): AnswerText {
  return {
    head: `${JSON.stringify({ ...range, data: [] }).slice(0, -2)}`,
    separator: ',',
    tail: ']}',
    row: (usage) => JSON.stringify(toResultRow(usage)),
  };
}
