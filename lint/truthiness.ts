/**
 * Finds truthiness tests on numbers, texts and decimals. 0 is an instant, a price and a quantity, and the empty text may be
 * a value: `given || fallback` takes the fallback for them, and a Decimal is true whatever it holds. Whoever means "is
 * there one" writes `=== undefined` or `??`; whoever means "is it empty" writes `=== ''` or `.length > 0`. It needs types,
 * so it walks the syntax trees with TypeScript's checker.
 */
import { relative } from 'node:path';
import ts from 'typescript';

export interface TruthinessTest {
  /** "backend/app.ts:12" */
  at: string;
  /** The tested expression, and what it may be. */
  text: string;
  type: string;
}

/** @param includes which of the program's files are looked at */
export function findTruthinessTests(program: ts.Program, includes: (path: string) => boolean): TruthinessTest[] {
  const checker = program.getTypeChecker();
  const found: TruthinessTest[] = [];
  for (const file of program.getSourceFiles()) {
    const path = relative(process.cwd(), file.fileName);
    if (file.isDeclarationFile || !includes(path)) continue;
    const visit = (node: ts.Node): void => {
      for (const tested of testedBy(node)) {
        const type = isListTest(node) ? elementOf(checker, tested) : checker.getTypeAtLocation(tested);
        if (type === undefined || !mayBeFalsyValue(type) || isComparison(tested)) continue;
        const { line } = file.getLineAndCharacterOfPosition(tested.getStart(file));
        found.push({
          at: `${path}:${line + 1}`,
          text: tested.getText(file),
          type: checker.typeToString(type),
        });
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

/** The expressions of which a node asks whether they are true; those that such an expression is made of ask for themselves. */
function testedBy(node: ts.Node): ts.Expression[] {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return leaves(node.expression);
  if (ts.isConditionalExpression(node)) return leaves(node.condition);
  if (ts.isForStatement(node)) return node.condition === undefined ? [] : leaves(node.condition);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) return leaves(node.operand);
  if (ts.isBinaryExpression(node) && LOGICAL.has(node.operatorToken.kind)) return leaves(node.left);
  if (!ts.isCallExpression(node)) return [];
  if (node.expression.getText() === 'Boolean') return node.arguments.slice(0, 1);
  return isListTest(node) ? [node.expression.expression] : [];
}

/** `list.filter(Boolean)` and the like: each element is tested. */
function isListTest(node: ts.Node): node is ts.CallExpression & { expression: ts.PropertyAccessExpression } {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  return node.arguments.some((argument) => ts.isIdentifier(argument) && argument.text === 'Boolean');
}

function elementOf(checker: ts.TypeChecker, list: ts.Expression): ts.Type | undefined {
  return checker.getIndexTypeOfType(checker.getTypeAtLocation(list), ts.IndexKind.Number);
}

const LOGICAL = new Set([
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
]);

/** What is compared by first, before something else decides: `a.fromMs - b.fromMs || compare(a.id, b.id)`. */
function isComparison(tested: ts.Expression): boolean {
  const { parent } = tested;
  if (!ts.isBinaryExpression(parent) || parent.operatorToken.kind !== ts.SyntaxKind.BarBarToken) return false;
  if (ts.isBinaryExpression(tested)) {
    return (
      tested.operatorToken.kind === ts.SyntaxKind.MinusToken || tested.operatorToken.kind === ts.SyntaxKind.BarBarToken
    );
  }
  return ts.isCallExpression(tested) && /(^|\.)(compare|cmp|localeCompare)$/.test(tested.expression.getText());
}

/** `a || b` in a condition asks for b as well; its left side is found at the operator itself. */
function leaves(expression: ts.Expression): ts.Expression[] {
  if (ts.isParenthesizedExpression(expression)) return leaves(expression.expression);
  if (!ts.isBinaryExpression(expression)) return [expression];
  const { kind } = expression.operatorToken;
  if (kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.AmpersandAmpersandToken) {
    return leaves(expression.right);
  }
  return [expression];
}

/** A number, a text or a bigint of which the value decides; a Decimal, of which it does not. */
function mayBeFalsyValue(type: ts.Type): boolean {
  if (type.isUnionOrIntersection()) return type.types.some(mayBeFalsyValue);
  if (type.isStringLiteral()) return type.value === '';
  if (type.isNumberLiteral()) return type.value === 0;
  if ((type.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BigIntLike)) !== 0) return true;
  return type.symbol?.name === 'Decimal';
}
