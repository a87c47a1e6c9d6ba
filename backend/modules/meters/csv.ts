import type { MeterQueryAnswer } from './query.ts';

/**
 * A query's answer as CSV (RFC 4180): from, to, [subject], [customer_id, customer_key, customer_name], the other
 * dimensions by name, value.
 */
export function toCsv(answer: MeterQueryAnswer): string {
  const columns = answer.groupBy.flatMap((name) =>
    name === 'customer_id' ? ['customer_id', 'customer_key', 'customer_name'] : [name],
  );
  const lines = [['from', 'to', ...columns, 'value']];
  for (const row of answer.result.data) {
    const customer = answer.customers.get(row.dimensions['customer_id'] ?? '');
    const cells: Record<string, string | undefined> = {
      ...row.dimensions,
      ...(customer && { customer_key: customer.key, customer_name: customer.name }),
    };
    lines.push([row.from, row.to, ...columns.map((name) => cells[name] ?? ''), row.value]);
  }
  return `${lines.map((line) => line.map(quote).join(',')).join('\n')}\n`;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
