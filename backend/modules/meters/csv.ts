import { csvLine } from '../../platform/csv.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import type { MeterQueryAnswer } from './query.ts';

/**
 * A query's answer as CSV (RFC 4180): from, to, [subject], [customer_id, customer_key, customer_name], the other
 * dimensions by name, value.
 */
export async function toCsv(answer: MeterQueryAnswer): Promise<string> {
  const columns = answer.groupBy.flatMap((name) =>
    name === 'customer_id' ? ['customer_id', 'customer_key', 'customer_name'] : [name],
  );
  const lines = await mapInSlices(answer.result.data, (row) => {
    const customer = answer.customers.get(row.dimensions['customer_id'] ?? '');
    const cells: Record<string, string | undefined> = {
      ...row.dimensions,
      ...(customer && { customer_key: customer.key, customer_name: customer.name }),
    };
    return csvLine([row.from, row.to, ...columns.map((name) => cells[name] ?? ''), row.value]);
  });
  return csvLine(['from', 'to', ...columns, 'value']) + lines.join('');
}
