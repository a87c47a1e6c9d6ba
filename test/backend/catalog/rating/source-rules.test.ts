import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const RATING = new URL('../../../../backend/catalog/rating/', import.meta.url);
const PLATFORM = new URL('../../../../backend/platform/', import.meta.url);

/** Ways by which a decimal becomes a 64-bit float, or by which floats are computed with. */
function floatForms(fileName: string, source: string): string[] {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isFloatForm(node)) found.push(`${fileName}: ${node.getText(file)}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const FLOAT_CALLS = new Set(['Number', 'parseFloat', 'parseInt', 'Number.parseFloat', 'Number.parseInt']);
const FLOAT_METHODS = new Set(['toNumber', 'valueOf', 'toPrecision', 'toExponential']);
const FLOAT_OPERATORS = new Set([
  ts.SyntaxKind.AsteriskToken,
  ts.SyntaxKind.SlashToken,
  ts.SyntaxKind.PercentToken,
  ts.SyntaxKind.AsteriskAsteriskToken,
]);

function isFloatForm(node: ts.Node): boolean {
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.PlusToken;
  if (ts.isBinaryExpression(node)) return FLOAT_OPERATORS.has(node.operatorToken.kind);
  if (ts.isNumericLiteral(node)) return /[.e]/i.test(node.getText());
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression;
  if (FLOAT_CALLS.has(callee.getText())) return true;
  if (!ts.isPropertyAccessExpression(callee)) return false;
  return FLOAT_METHODS.has(callee.name.text) || callee.expression.getText() === 'Math';
}

describe('the search finds', () => {
  test.each([
    'Number(amount)',
    'parseFloat(amount)',
    'Number.parseFloat(amount)',
    'parseInt(amount)',
    '+amount',
    'f(+amount)',
    'quantity * price',
    'quantity / 3',
    'quantity % 3',
    '0.1',
    '1e3',
    'amount.toNumber()',
    'Math.round(amount)',
  ])('%s', (source) => {
    expect(floatForms('sample.ts', `export const x = ${source};`)).not.toEqual([]);
  });

  test.each(['quantity.mul(price)', 'a + b', 'rank - 1', 'Number.isInteger(precision)', '"1 / 3"', '/* +1 */ 2'])(
    'nothing in %s',
    (source) => {
      expect(floatForms('sample.ts', `export const x = ${source};`)).toEqual([]);
    },
  );
});

test('rating computes with decimals only', () => {
  const names = readdirSync(RATING, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(names.length).toBeGreaterThan(20);
  const found = names.flatMap((name) => floatForms(name, readFileSync(new URL(name, RATING), 'utf8')));
  // Whole seconds of an instant: time, neither money nor a quantity.
  expect(found).toEqual(['proration.ts: Math.floor(atMs / 1000)', 'proration.ts: atMs / 1000']);
});

test('so does the money of the platform', () => {
  for (const name of ['money.ts', 'currencies.ts']) {
    expect(floatForms(name, readFileSync(new URL(name, PLATFORM), 'utf8'))).toEqual([]);
  }
});
