/**
 * Finds functions that are too long to be read at once. Lines of functions inside count for those, so that a closure is
 * judged by what stands in it directly, and by its whole length with a limit of its own.
 */
import ts from 'typescript';

export interface LongFunction {
  /** "createSender", or the line where it has no name. */
  name: string;
  /** Lines that stand in it directly. */
  ownLines: number;
  /** All of its lines. */
  lines: number;
}

export interface LengthLimits {
  ownLines: number;
  lines: number;
}

/** @param path of the source, for its language */
export function findLongFunctions(path: string, text: string, limits: LengthLimits): LongFunction[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: LongFunction[] = [];
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  /** @returns lines of the functions in a node, itself included */
  const visit = (node: ts.Node): number => {
    let inner = 0;
    ts.forEachChild(node, (child) => {
      inner += visit(child);
    });
    if (!isFunctionWithBody(node)) return inner;
    const lines = lineOf(node.body.getEnd()) - lineOf(node.body.getStart(file)) + 1;
    const ownLines = lines - inner;
    if (ownLines > limits.ownLines || lines > limits.lines) found.push({ name: nameOf(node, file), ownLines, lines });
    return lines === 1 ? 0 : lines;
  };
  visit(file);
  return found;
}

type FunctionWithBody = ts.FunctionLikeDeclaration & { body: ts.Node };

function isFunctionWithBody(node: ts.Node): node is FunctionWithBody {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function nameOf(node: FunctionWithBody, file: ts.SourceFile): string {
  if (node.name !== undefined) return node.name.getText(file);
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText(file);
  return `line ${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`;
}
