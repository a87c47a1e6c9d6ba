import { readFileSync } from 'node:fs';
import type { App } from '../../../backend/app.ts';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/** An operation of an OpenAPI document. */
export interface OperationName {
  id: string;
  method: string;
  /** Below /v3, as the contract writes it: "/openmeter/meters". */
  path: string;
  summary?: string;
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
          summary: (operation as { summary?: string }).summary ?? '',
        })),
    )
    .sort(byId);
}

/** What our own document names, but for what it says is not there. */
export async function ourOperations(app: App): Promise<OperationName[]> {
  const document = (await (await app.request('/openapi.json')).json()) as never;
  return operationsOf(document).filter(({ summary }) => summary !== undefined && !summary.startsWith('Not served: '));
}

/** The two tables of docs/operations.md. */
export function operationTables(): { contract: OperationRow[]; own: OperationRow[] } {
  const sections = readFileSync('docs/operations.md', 'utf8').split(/^## /m);
  const below = (title: string) => rowsOf(sections.find((section) => section.startsWith(title)) ?? '');
  return { contract: below('Of the contract'), own: below('Our own') };
}

function rowsOf(section: string): OperationRow[] {
  return [...section.matchAll(/^\| `([^`]+)` \| `([A-Z]+) ([^`]+)` \| (.+) \|$/gm)]
    .map(([, id = '', method = '', path = '', note = '']) => ({ id, method, path, note }))
    .sort(byId);
}

/** What of the contract is served, says the table. */
export function servedIds(): Set<string> {
  return new Set(operationTables().contract.flatMap(({ id, note }) => (note === 'yes' ? [id] : [])));
}

/** A row without its last column. */
export function nameOf({ id, method, path }: OperationName): OperationName {
  return { id, method, path };
}

function byId(a: OperationName, b: OperationName): number {
  return a.id < b.id ? -1 : 1;
}
