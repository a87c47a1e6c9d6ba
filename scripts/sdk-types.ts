import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readApiDocument } from './api-document.ts';

/** Writes the types of the API, as the backend documents itself, to where the client has them. @param root of the project */
export async function writeSdkTypes(root: string): Promise<void> {
  const { default: openapiTypescript, astToString, NUMBER, STRING, tsUnion } = await import('openapi-typescript');
  const ast = await openapiTypescript(await readApiDocument(), {
    // What has a default need not be sent.
    defaultNonNullable: false,
    // Numbers of a query travel as text: the console keeps them in the page's own address, where they are text too.
    transform: ({ type }, { path }) =>
      type === 'integer' && /\/page\[(?:size|number)\]$/.test(path ?? '') ? tsUnion([NUMBER, STRING]) : undefined,
  });
  const file = join(root, 'sdk/generated/schema.ts');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, astToString(ast));
}
