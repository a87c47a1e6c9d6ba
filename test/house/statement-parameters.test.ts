import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

/**
 * Databases refuse statements with some ten thousand parameters, so no statement takes a list as long as the data: `IN` has
 * a list of `inLists` or `eachList`, a query, or what is written out, there or as a constant; rows are a piece of `inPieces`, or a single one.
 */
function unboundedParameters(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const queries = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && /selectFrom|sql[<`]/.test(node.initializer?.getText(file) ?? '')) {
      queries.add(node.name.getText(file));
    }
    if (ts.isCallExpression(node)) {
      const [, operator, values] = node.arguments.map((argument) => argument.getText(file));
      const isIn = operator !== undefined && /^'(?:not )?in'$| \? 'in' : /.test(operator);
      const isBounded =
        /^(?:list|keyList)(?: \?\? \[\])?$|^\[['"\d]|^[A-Z_]+$/.test(values ?? '') || queries.has(values ?? '');
      if (isIn && !isBounded) found.push(node.arguments.map((argument) => argument.getText(file)).join(', '));
      const isInsert = ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'values';
      const rows = node.arguments[0]?.getText(file);
      const isOne = rows === undefined || /^(?:\{|to\w*Row\(|piece$|row$)/.test(rows);
      if (isInsert && !isOne) found.push(`values(${rows})`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const files = globSync('backend/**/*.ts').filter((path) => /from 'kysely'|control-db/.test(readFileSync(path, 'utf8')));

test('no statement takes as many parameters as there is data', () => {
  const found = files.flatMap((path) =>
    unboundedParameters(readFileSync(path, 'utf8')).map((text) => `${path}: ${text}`),
  );
  expect(found).toEqual([]);
  expect(files.length).toBeGreaterThan(20);
});

test('what the test finds', () => {
  const bad = [`q.where('id', 'in', ids)`, `eb('id', 'not in', except)`, `q.insertInto('t').values(rows)`];
  for (const source of bad) expect(unboundedParameters(source), source).toHaveLength(1);
  const good = [
    `q.where('id', 'in', list)`,
    `q.where('state', 'in', ['a', 'b'])`,
    `const old = q.selectFrom('t'); q.where('id', 'in', old)`,
    `q.insertInto('t').values(piece)`,
    `q.insertInto('t').values(toRow(one))`,
    `q.insertInto('t').values({ id })`,
    `map.values()`,
  ];
  for (const source of good) expect(unboundedParameters(source), source).toEqual([]);
});
