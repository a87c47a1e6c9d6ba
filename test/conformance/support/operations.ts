import { readFileSync } from 'node:fs';
import type { App } from '../../../backend/app.ts';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/** An operation of an OpenAPI document. */
export interface OperationName {
  id: string;
  method: string;
  /** Below /v3, as the contract writes it: "/openmeter/meters". */
  path: string;
}

/** A row of docs/operations.md. */
export interface OperationRow extends OperationName {
  /** What the last column says. */
  note: string;
}

/** What an OpenAPI document names, by id. */
export function operationsOf(document: { paths: Record<string, Record<string, unknown>> }): OperationName[] {
  return Object.entries(document.paths)
    .flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => METHODS.includes(method))
        .map(([method, operation]) => ({
          id: (operation as { operationId: string }).operationId,
          method: method.toUpperCase(),
          path: path.replace(/^\/v3(?=\/)/, ''),
        })),
    )
    .sort(byId);
}

/** What our own document names. */
export async function ourOperations(app: App): Promise<OperationName[]> {
  return operationsOf((await (await app.request('/openapi.json')).json()) as never);
}

/** The two tables of docs/operations.md. */
export function operationTables(): { contract: OperationRow[]; own: OperationRow[] } {
  const [contract = '', own = ''] = readFileSync('docs/operations.md', 'utf8').split(/^## /m).slice(1);
  return { contract: rowsOf(contract), own: rowsOf(own) };
}

function rowsOf(section: string): OperationRow[] {
  return [...section.matchAll(/^\| `([^`]+)` \| `([A-Z]+) ([^`]+)` \| (.+) \|$/gm)]
    .map(([, id = '', method = '', path = '', note = '']) => ({ id, method, path, note }))
    .sort(byId);
}

/** A row without its last column. */
export function nameOf({ id, method, path }: OperationRow): OperationName {
  return { id, method, path };
}

function byId(a: OperationName, b: OperationName): number {
  return a.id < b.id ? -1 : 1;
}
