import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { CatalogError, catalogError, type Path, type Problem } from './errors.ts';
import { type Catalog, catalogSchemas } from './schema.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/** A catalog and where its parts stand in the file. */
export interface CatalogFile {
  name: string;
  catalog: Catalog;
  positionOf: YamlDocument['positionOf'];
}

/** A file this large is no catalog; it would be parsed for minutes. */
const MAX_FILE_BYTES = 20_000_000;

/** @throws CatalogError for a file that cannot be read or is not a catalog, with a path for each problem */
export function readCatalogFile(name: string): CatalogFile {
  const document = parseYaml(readText(name));
  const result = catalogSchemas(true).catalog.safeParse(document.value ?? {}, { reportInput: true });
  const { positionOf } = document;
  if (!result.success) throw new LocatedError(name, positionOf, result.error.issues.flatMap(describe));
  const file = { name, catalog: result.data, positionOf };
  const duplicates = findDuplicates(file.catalog);
  if (duplicates.length > 0) throw new LocatedError(name, positionOf, duplicates);
  return file;
}

function readText(name: string): string {
  try {
    const bytes = readFileSync(name === '-' ? 0 : name);
    if (bytes.length > MAX_FILE_BYTES) throw catalogError(`${name}: has more than ${MAX_FILE_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof CatalogError) throw error;
    throw catalogError(`${name}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

/** Problems whose places are written into their messages: "catalog.yaml:12:5: …". */
class LocatedError extends CatalogError {
  constructor(name: string, positionOf: YamlDocument['positionOf'], problems: readonly Problem[]) {
    super(problems.map((problem) => ({ message: locate(name, positionOf, problem) })));
  }
}

/** A problem as editors and terminals make a link of it. */
export function locate(name: string, positionOf: YamlDocument['positionOf'], problem: Problem): string {
  if (problem.path === undefined) return problem.message;
  const { line, column } = positionOf(problem.path);
  const where = problem.path.length === 0 ? '' : `${problem.path.join('.')}: `;
  return `${name}:${line}:${column}: ${where}${problem.message}`;
}

function describe(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path as Path;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((name) => ({ path: [...path, name], message: 'is not known' }));
    case 'invalid_type':
      return [{ path, message: issue.input === undefined ? 'is required' : `must be ${article(issue.expected)}` }];
    case 'invalid_value':
      return [{ path, message: `must be one of ${issue.values.join(', ')}` }];
    case 'invalid_union': {
      const field =
        'discriminator' in issue && typeof issue.discriminator === 'string' ? issue.discriminator : undefined;
      return [{ path, message: field === undefined ? issue.message : `${field} is missing or not known` }];
    }
    default:
      return [{ path, message: issue.message }];
  }
}

function article(type: string): string {
  const word = type === 'record' ? 'object' : type;
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

/** Each key stands once in its list; plans and add-ons once for each status. */
function findDuplicates(catalog: Catalog): Problem[] {
  const problems: Problem[] = [];
  for (const section of ['tax_codes', 'meters', 'features', 'addons', 'plans'] as const) {
    const seen = new Set<string>();
    for (const [index, entity] of (catalog[section] ?? []).entries()) {
      const identity = 'status' in entity ? `${entity.key} as ${entity.status}` : entity.key;
      if (seen.has(identity)) problems.push({ path: [section, index, 'key'], message: `${identity} is there twice` });
      seen.add(identity);
    }
  }
  return problems;
}
