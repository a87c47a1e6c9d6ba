/** Prints rows under a title; the last column is a number and stands to the right. */
export function printTable(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const format = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        index === row.length - 1 ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('   ');
  const line = widths.map((width) => '─'.repeat(width)).join('   ');
  process.stdout.write(
    ['', title, `  ${format(columns)}`, `  ${line}`, ...rows.map((row) => `  ${format(row)}`), ''].join('\n'),
  );
}
