import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** Areas that handle money or quantities (rule 6); rating, which computes with them, has a stricter test of its own. */
const EXACT_AREAS = ['catalog', 'customers', 'billing', 'payments'];
/** What databases count is no money. */
const COUNTS = new Set(['Number(total)', 'Number(count)']);

/** Every place in the source that turns a text or a Decimal into a float. */
function floatForms(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = node.getText(file);
    const isConversion =
      ts.isCallExpression(node) && /^(Number|(Number\.)?parseFloat)$/.test(node.expression.getText(file));
    const isToNumber =
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'toNumber';
    const isUnaryPlus = ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.PlusToken;
    if ((isConversion || isToNumber || isUnaryPlus) && !COUNTS.has(text)) found.push(text);
    // Passed on as a function: amounts.map(Number).
    if (ts.isIdentifier(node) && /^(Number|parseFloat)$/.test(node.text) && ts.isCallExpression(node.parent)) {
      if (node.parent.arguments.some((argument) => argument === node)) found.push(node.parent.getText(file));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** An area's page lies beside its modules. */
const modulesOf = (area: string) =>
  readdirSync(join('backend', area), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const exactModules = EXACT_AREAS.flatMap((area) => modulesOf(area).map(({ name }) => join(area, name)));

test('there are modules that compute with money', () => {
  expect(exactModules).toEqual(expect.arrayContaining(['catalog/plans', 'billing/invoices']));
});

describe.each(exactModules)('%s', (name) => {
  const folder = join('backend', name);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  test('computes without floats', () => {
    const found = files.map((file) => ({ file, forms: floatForms(readFileSync(join(folder, file), 'utf8')) }));
    expect(found.filter(({ forms }) => forms.length > 0)).toEqual([]);
  });
});

test.each([
  ['Number(amount)', 1],
  ['parseFloat(amount)', 1],
  ['Number.parseFloat(amount)', 1],
  ['+amount', 1],
  ['a = +row.quantity * 2', 1],
  ['amount.toNumber()', 1],
  ['amounts.map(Number)', 1],
  ['amounts.map(parseFloat)', 1],
  ['Number(total)', 0],
  ['a + b', 0],
  ['a++', 0],
  ['a += 1', 0],
  ['Number.parseInt(digits, 10)', 0],
  ['Number.isInteger(a)', 0],
])('%s is found %i times', (source, times) => {
  expect(floatForms(source)).toHaveLength(times);
});
