import { contractDocument } from '../../support/contract.ts';

/** What JSON can be. */
export type Json = { [key: string]: Json } | Json[] | string | number | boolean | null;
export type JsonObject = { [key: string]: Json };

/** A schema of the contract with its references followed, as far as requests need it. */
export interface Schema {
  /** The component that it came from: "ULID". */
  name?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  nullable: boolean;
  readOnly: boolean;
  enum?: string[];
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: Json;
  required: string[];
  properties: Record<string, Json>;
  /** False: no other properties; a schema: a map; true: anything. */
  additional: boolean | Json;
  /** Of oneOf and anyOf. */
  branches: Json[];
  /** The property that tells the branches apart. */
  discriminator?: string;
}

/** Follows references and the contract's way of writing them, `allOf` with one entry. */
export function schemaOf(node: Json): Schema {
  const { name, merged } = flatten(node as JsonObject);
  const { nullable, readOnly, required, properties, additionalProperties, oneOf, anyOf, discriminator, ...rest } =
    merged;
  return {
    ...(rest as Partial<Schema>),
    ...(name !== undefined && { name }),
    nullable: nullable === true,
    readOnly: readOnly === true,
    required: (required ?? []) as string[],
    properties: (properties ?? {}) as Record<string, Json>,
    additional: additionalProperties ?? properties === undefined,
    branches: (oneOf ?? anyOf ?? []) as Json[],
    ...(discriminator !== undefined && { discriminator: (discriminator as JsonObject)['propertyName'] as string }),
  };
}

function flatten(node: JsonObject): { name?: string; merged: JsonObject } {
  const { $ref, allOf, ...own } = node;
  if (typeof $ref === 'string') {
    const { merged } = flatten(lookUp($ref) as JsonObject);
    return { name: $ref.split('/').at(-1) ?? '', merged: { ...merged, ...own } };
  }
  if (!Array.isArray(allOf)) return { merged: own };
  if (allOf.length !== 1) throw new Error('the contract composes a request of several schemas: teach this to read it');
  const { name, merged } = flatten(allOf[0] as JsonObject);
  return { ...(name !== undefined && { name }), merged: { ...merged, ...own } };
}

function lookUp(ref: string): Json {
  const steps = ref.slice(2).split('/');
  return steps.reduce<Json>((node, step) => (node as JsonObject)[step] as Json, contractDocument() as unknown as Json);
}

/** An operation of the contract with what a request to it consists of. */
export interface ContractOperation {
  id: string;
  method: string;
  /** "/openmeter/meters/{meterId}" */
  path: string;
  /** Names of the parameters in the path. */
  pathParams: string[];
  query: { name: string; schema: Json }[];
  /** Of its JSON body. */
  body?: Json;
}

/** All operations of the contract. */
export function contractOperations(): ContractOperation[] {
  return Object.entries(contractDocument().paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, JsonObject>)
      .filter(([, operation]) => operation['operationId'] !== undefined)
      .map(([method, operation]) => {
        const body = ((operation['requestBody'] as JsonObject | undefined)?.['content'] as JsonObject | undefined)?.[
          'application/json'
        ] as JsonObject | undefined;
        return {
          id: operation['operationId'] as string,
          method: method.toUpperCase(),
          path,
          pathParams: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
          query: queryOf(operation['parameters']),
          ...(body !== undefined && { body: body['schema'] as Json }),
        };
      }),
  );
}

function queryOf(parameters: Json | undefined): ContractOperation['query'] {
  return ((parameters ?? []) as JsonObject[])
    .map((parameter) => (typeof parameter['$ref'] === 'string' ? lookUp(parameter['$ref']) : parameter) as JsonObject)
    .filter((parameter) => parameter['in'] === 'query')
    .map((parameter) => ({ name: parameter['name'] as string, schema: parameter['schema'] as Json }));
}
