import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/**
 * Holds answers against the published contract. The document is not part of this project: OPENMETER_V3_OPENAPI names a
 * copy of it. OpenMeter publishes it in its repository as api/v3/openapi.yaml.
 */
const path = process.env['OPENMETER_V3_OPENAPI'];

export const contractIsAvailable = path !== undefined && path !== '';
export const CONTRACT_MISSING = 'set OPENMETER_V3_OPENAPI to a copy of api/v3/openapi.yaml of OpenMeter';

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null;
type JsonObject = { [key: string]: Json };

/** The contract as published. */
export function contractDocument(): { paths: Record<string, Record<string, unknown>> } {
  published ??= parse(readFileSync(path ?? '', 'utf8')) as JsonObject;
  return published as never;
}

let published: JsonObject | undefined;

interface Contract {
  paths: { template: string; pattern: RegExp; item: JsonObject }[];
  ajv: Ajv;
  validators: Map<string, ValidateFunction>;
}

let loaded: Contract | undefined;

function contract(): Contract {
  if (loaded !== undefined) return loaded;
  const document = toJsonSchema(contractDocument() as Json) as JsonObject;
  closeMeta(document);
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    unicodeRegExp: false,
    formats: { path: true, int16: true, uint32: true, ISO8601: true },
  });
  addFormats.default(ajv);
  // Sources are what senders call themselves: refusing one would lose events, and another text would be another source.
  ajv.addFormat('uri-reference', true);
  ajv.addSchema({ $id: 'contract', ...document });
  const paths = Object.entries(document['paths'] as JsonObject).map(([template, item]) => ({
    template,
    pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
    item: item as JsonObject,
  }));
  loaded = { paths, ajv, validators: new Map() };
  return loaded;
}

/** OpenAPI 3.0 as JSON Schema: `nullable` becomes a type of its own. */
function toJsonSchema(node: Json): Json {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema(value)]),
  );
  // In "properties" a field may be called nullable; only the keyword is a boolean.
  if (typeof nullable !== 'boolean') return nullable === undefined ? rest : { ...rest, nullable };
  return nullable ? { anyOf: [{ type: 'null' }, rest] } : rest;
}

/** The contract leaves these open by oversight: every other object of an answer may have no further fields. */
const OPEN_BY_OVERSIGHT = ['PageMeta', 'PaginatedMeta', 'CursorMetaPage', 'CursorMeta'];

function closeMeta(document: JsonObject): void {
  const schemas = (document['components'] as JsonObject)['schemas'] as JsonObject;
  for (const name of OPEN_BY_OVERSIGHT) (schemas[name] as JsonObject)['additionalProperties'] = false;
}

/**
 * Checks an answer to an operation of the contract.
 * @param requestPath path of the request below the mount point, "/openmeter/meters/01…/query"
 * @returns sentences that say what is wrong; empty when nothing is, or when the contract does not have the operation
 */
export function contractViolations(
  method: string,
  requestPath: string,
  status: number,
  type: string,
  body: string,
): string[] {
  const operation = findOperation(method, requestPath);
  if (operation === undefined) return [];
  const { pointer, responses } = operation;
  const response = responses[String(status)] as JsonObject | undefined;
  // The contract does not list every problem (409, 410, 413 …) on every operation; their form is the common one.
  if (response === undefined)
    return status < 400 ? [`${method} ${requestPath}: status ${status} is not in the contract`] : [];
  const target = typeof response['$ref'] === 'string' ? response['$ref'].slice(1) : `${pointer}/responses/${status}`;
  const content = resolve(target)['content'] as JsonObject | undefined;
  const mediaType = type.split(';', 1)[0] ?? '';
  if (content === undefined)
    return body === '' || status === 202 ? [] : [`${method} ${requestPath} ${status}: expected no body`];
  if (content[mediaType] === undefined)
    return [`${method} ${requestPath} ${status}: media type "${mediaType}" is not in the contract`];
  if (!mediaType.endsWith('json')) return [];
  return validate(`${target}/content/${escapeStep(mediaType)}/schema`, JSON.parse(body) as Json).map(
    (problem) => `${method} ${requestPath} ${status}: ${problem}`,
  );
}

function validate(pointer: string, value: Json): string[] {
  const { ajv, validators } = contract();
  let validator = validators.get(pointer);
  if (validator === undefined) {
    validator = ajv.compile({ $ref: `contract#${encodeURI(pointer)}` });
    validators.set(pointer, validator);
  }
  if (validator(value)) return [];
  return (validator.errors ?? []).map(
    (error) => `${error.instancePath || 'body'} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

function findOperation(method: string, requestPath: string): { pointer: string; responses: JsonObject } | undefined {
  for (const { template, pattern, item } of contract().paths) {
    const operation = item[method.toLowerCase()] as JsonObject | undefined;
    if (operation === undefined || !pattern.test(requestPath)) continue;
    const pointer = `/paths/${escapeStep(template)}/${method.toLowerCase()}`;
    return { pointer, responses: operation['responses'] as JsonObject };
  }
  return undefined;
}

function resolve(pointer: string): JsonObject {
  const steps = pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const root = contract().ajv.getSchema('contract')?.schema as JsonObject;
  return steps.reduce<JsonObject>((node, step) => node[step] as JsonObject, root);
}

function escapeStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}
