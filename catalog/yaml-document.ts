import { LineCounter, parseDocument, visit } from 'yaml';
import { CatalogError, type Path } from './errors.ts';
import { exactNumber } from './exact-json.ts';

/** A parsed file that knows where its values stand. */
export interface YamlDocument {
  value: unknown;
  /** Line and column, from 1, of what stands at a path, or of the nearest thing around it. */
  positionOf(path: Path): { line: number; column: number };
}

const DECIMAL_LITERAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Anchors, aliases and merge keys (`<<`) work. @throws CatalogError with "line:column" in the message of each syntax error */
export function parseYaml(text: string): YamlDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    throw new CatalogError(
      document.errors.map((error) => {
        const { line, column } = place(error.pos[0]);
        return { message: `line ${line}, column ${column}: ${error.message}` };
      }),
    );
  }
  visit(document, {
    Scalar: (_key, node) => {
      // 0.10 and numbers of 20 digits are kept as they are written.
      if (typeof node.value === 'number' && node.source !== undefined && DECIMAL_LITERAL.test(node.source)) {
        node.value = exactNumber(node.source);
      }
    },
  });
  return {
    value: document.toJS(),
    positionOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const node: unknown = document.getIn(path.slice(0, length), true);
        const offset = startOf(node);
        if (offset !== undefined) return place(offset);
      }
      return place(0);
    },
  };
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  return node.range[0] as number;
}
