import type { Random } from '../../support/random.ts';
import { createValues } from './values.ts';

type Json = Record<string, unknown>;

/** A request, and how to say it again. */
export interface FuzzRequest {
  operation: string;
  method: string;
  /** With the mount point and the query string. */
  url: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

interface Operation {
  id: string;
  method: string;
  path: string;
  query: string[];
  bodies: [string, Json][];
}

/** Makes requests to every operation of an OpenAPI document: right ones, wrong ones, and hostile ones. */
export interface RequestMaker {
  next(): FuzzRequest;
}

const TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  'true',
  'null',
  'NaN',
  '__proto__',
  'constructor',
  '../..',
  '%',
  '%zz',
  '%00',
  '%ff%fe',
  '%F0%9F%92%A5',
  "'%20OR%201=1--",
  '[]',
  '[eq]',
  '*',
  '%2e%2e%2f',
  '2026-11-01T00:00:00Z',
  '2026-13-01',
  'created_at%20desc',
  'x,y,,z',
  '(a%2B)%2B%24',
];

const ODD_HEADERS: readonly [[string, string], ...[string, string][]] = [
  ['X-Request-Id', 'a'.repeat(5000)],
  ['X-Request-Id', '<script>'],
  ['Prefer', 'handling=lenient'],
  ['Prefer', 'handling=strict; handling=lenient, respond-async'],
  ['Accept', 'text/csv'],
  ['Accept', '*/*;q=x'],
  ['Accept', 'application/pdf'],
  ['Accept-Encoding', 'gzip;q=0, *'],
  ['Content-Encoding', 'gzip'],
  ['Content-Length', '0'],
  ['Content-Length', '-1'],
  ['Content-Length', '99999999999'],
  ['Expect', '100-continue'],
  ['If-Match', '*'],
  ['Range', 'bytes=0-1'],
  ['Metering-Node', 'gw'],
  ['Metering-Sequence', '1-999999999999999,3'],
  ['Metering-Dropped', '__proto__=1,constructor=2'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Host', 'evil.example'],
];

const TYPES: readonly [string, ...string[]] = [
  'application/json',
  'application/json; charset=utf-16',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'APPLICATION/JSON;;;',
  '/',
];

/**
 * @param document our own OpenAPI document
 * @param idOf an id that something has, for a parameter or field of that name
 */
export function createRequestMaker(random: Random, document: Json, idOf: (name: string) => string): RequestMaker {
  const schemas = (document['components'] as Json)['schemas'] as Record<string, Json>;
  const values = createValues(random, (ref) => schemas[ref.split('/').at(-1) ?? ''] ?? {}, idOf);
  const operations = operationsOf(document);

  function pathOf({ path }: Operation): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) =>
      random.next() < 0.85 ? encodeURIComponent(idOf(name)) : random.pick(TEXTS) || 'x',
    );
  }

  function queryOf({ query }: Operation): string {
    const parts: string[] = [];
    for (const name of query) {
      if (random.next() < 0.8) continue;
      const suffix =
        random.next() < 0.3 ? random.pick(['[eq]', '[oeq]', '[contains]', '[exists]', '[__proto__]', '[']) : '';
      parts.push(`${name}${suffix}=${random.next() < 0.5 ? encodeURIComponent(idOf(name)) : random.pick(TEXTS)}`);
    }
    if (random.next() < 0.1)
      parts.push(
        random.pick([
          'a=1&a=2',
          '=',
          '&&&',
          '%=%',
          '__proto__[x]=1',
          'filter[__proto__][eq]=x',
          'page[size][x]=1',
          '[]=1',
        ]),
      );
    if (random.next() < 0.02) parts.push(Array.from({ length: 300 }, (_, index) => `p${index}=1`).join('&'));
    return parts.length === 0 ? '' : `?${parts.join('&')}`;
  }

  function bodyOf(operation: Operation): { type?: string; body?: string | Uint8Array } {
    const [first] = operation.bodies;
    if (first === undefined)
      return operation.method !== 'GET' && random.next() < 0.1
        ? { type: 'application/json', body: values.hostile() }
        : {};
    const [type, schema] = random.pick([first, ...operation.bodies]);
    const kind = random.next();
    if (kind < 0.4) return { type, body: values.valid(schema) };
    if (kind < 0.8) return { type, body: values.mutated(schema, random.pick([0.02, 0.05, 0.2])) };
    if (kind < 0.85) return { type, body: values.hostile() };
    if (kind < 0.9) return { type: random.pick(TYPES), body: values.valid(schema) };
    const text = values.valid(schema);
    if (kind < 0.95) return { type, body: text.slice(0, random.between(0, text.length)) };
    const bytes = Buffer.from(text);
    for (let flips = random.between(1, 4); flips > 0 && bytes.length > 0; flips -= 1) {
      bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
    }
    return { type, body: new Uint8Array(bytes) };
  }

  return {
    next: () => {
      const operation = random.pick(operations);
      const { type, body } = bodyOf(operation);
      const [name, value] = random.pick(ODD_HEADERS);
      const odd = random.next() < 0.1;
      return {
        operation: operation.id,
        method: operation.method,
        url: `${pathOf(operation)}${queryOf(operation)}`,
        headers: { ...(type !== undefined && { 'Content-Type': type }), ...(odd && { [name]: value }) },
        ...(body !== undefined && { body }),
      };
    },
  };
}

function operationsOf(document: Json): [Operation, ...Operation[]] {
  const operations = Object.entries(document['paths'] as Record<string, Record<string, Json>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      id: String(operation['operationId']),
      method: method.toUpperCase(),
      path,
      query: ((operation['parameters'] ?? []) as Json[])
        .filter((parameter) => parameter['in'] === 'query')
        .map((parameter) => String(parameter['name'])),
      bodies: Object.entries(
        ((operation['requestBody'] as Json | undefined)?.['content'] ?? {}) as Record<string, Json>,
      ).map(([type, content]): [string, Json] => [type, content['schema'] as Json]),
    })),
  );
  return operations as [Operation, ...Operation[]];
}
