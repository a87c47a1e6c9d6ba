import { gzipSync } from 'node:zlib';

/** A request that is allowed, and as much work as one can be. */
export interface WorstRequest {
  operation: string;
  body: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  bytes: Uint8Array | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is looked into freely
type Schema = any;

/** As backend/platform/http/body.ts has them; one more would be refused at once. */
const BODY_BYTES = 2 * 1024 * 1024 - 1024;
const VALUES = 49_000;
const EVENTS_BYTES = 10 * 1024 * 1024 - 64;
const SOME_ID = '01G65Z755AFWAKHE12NY0CQ9FH';

/** For each operation of an OpenAPI document the bodies that cost most, and for ingest those of its own. */
export function worstRequests(document: Schema): WorstRequest[] {
  const requests: WorstRequest[] = [];
  for (const [path, item] of Object.entries<Schema>(document.paths)) {
    for (const [method, operation] of Object.entries<Schema>(item)) {
      if (operation?.operationId === undefined) continue;
      const target = {
        operation: operation.operationId,
        method: method.toUpperCase(),
        path: path.replace(/\{\w+\}/g, SOME_ID),
      };
      const schema = operation.requestBody?.content?.['application/json']?.schema;
      if (method === 'get') requests.push({ ...target, body: 'none', headers: {}, bytes: undefined });
      else if (/events(?:-v1)?$/.test(target.operation) && target.operation.startsWith('ingest')) {
        requests.push(...eventBodies().map((body) => ({ ...target, ...body })));
      } else if (schema !== undefined) {
        const json = { 'Content-Type': 'application/json' };
        const texts = jsonBodies(resolve(document, schema), document);
        requests.push(...texts.map(([body, text]) => ({ ...target, body, headers: json, bytes: Buffer.from(text) })));
      }
    }
  }
  return requests;
}

function jsonBodies(schema: Schema, document: Schema): [string, string][] {
  const list = (item: string) =>
    `[${Array(Math.min(VALUES, Math.floor(BODY_BYTES / (item.length + 1))))
      .fill(item)
      .join()}]`;
  const keys = (value: string) => `{${Array.from({ length: VALUES }, (_, index) => `"k${index}":${value}`).join()}}`;
  const general: [string, string][] = [
    ['brackets', '['.repeat(BODY_BYTES)],
    ['numbers with exponents', list('1e5')],
    ['numbers out of range', list('1e999')],
    ['unknown properties', keys('0')],
    ['one text', `"${'a\\n'.repeat(BODY_BYTES / 3 - 2)}"`],
  ];
  const properties = Object.entries<Schema>(propertiesOf(schema, document));
  const filled = properties.flatMap(([name, property]): [string, string][] => {
    const inside = (value: string) => `{"${name}":${value}}`;
    const items = properties.length === 0 ? [] : itemsOf(resolve(document, property), document);
    return [
      [`${name}: objects`, inside(list('{}').slice(0, BODY_BYTES))],
      [`${name}: keys`, inside(keys('"x"'))],
      [`${name}: numbers`, inside(list('1e999'))],
      ...items.map((item): [string, string] => [`${name}: items`, inside(list(item))]),
    ];
  });
  return [...general, ...filled];
}

/** Entries that pass some checks, so that more is looked at than their type. */
function itemsOf(schema: Schema, document: Schema): string[] {
  const items = schema?.items === undefined ? undefined : resolve(document, schema.items);
  if (items === undefined) return [];
  if (items.type === 'string') return ['"abc"'];
  const names = Object.keys(propertiesOf(items, document)).slice(0, 4);
  return [`{${names.map((name) => `"${name}":"x"`).join()}}`];
}

function propertiesOf(schema: Schema, document: Schema): Schema {
  const parts = [schema, ...(schema?.oneOf ?? []), ...(schema?.anyOf ?? []), ...(schema?.allOf ?? [])];
  return Object.assign({}, ...parts.map((part) => resolve(document, part)?.properties ?? {}));
}

function resolve(document: Schema, schema: Schema): Schema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(schema?.$ref ?? '')?.[1];
  return name === undefined ? schema : resolve(document, document.components.schemas[name]);
}

let lastId = 0;

function eventBodies(): Pick<WorstRequest, 'body' | 'headers' | 'bytes'>[] {
  const event = (data: string) =>
    `{"id":"${++lastId}","source":"s","type":"stall","subject":"x"${data === '' ? '' : `,"data":${data}`}}`;
  const batch = (item: () => string, count: number, maxBytes = EVENTS_BYTES) => {
    const items: string[] = [];
    for (let bytes = 2; items.length < count; ) {
      const text = item();
      bytes += text.length + 1;
      if (bytes > maxBytes) break;
      items.push(text);
    }
    return `[${items.join()}]`;
  };
  const small = 130_000;
  const texts: [string, string, boolean?][] = [
    ['brackets', '['.repeat(EVENTS_BYTES)],
    ['100,000 events', batch(() => event(''), 100_000)],
    ['data of numbers with exponents', batch(() => event(`{"n":[${'1e5,'.repeat(9_000)}1]}`), 100_000)],
    ['data of numbers out of range', batch(() => event(`{"n":[${'1e999,'.repeat(6_000)}1]}`), 100_000)],
    [
      'data of many keys',
      batch(() => event(`{${Array.from({ length: 4000 }, (_, k) => `"k${k}":1`).join()}}`), 100_000),
    ],
    ['100,000 numbers', batch(() => '0', 100_000)],
    ['100,000 numbers, lenient', batch(() => '0', 100_000), true],
    ['100,000 empty objects, lenient', batch(() => '{}', 100_000), true],
    ['100,000 events with a wrong name, lenient', batch(() => event('').replace('}', ',"A":1}'), 100_000), true],
    ['as many as are read at once', batch(() => event(''), 100_000, small)],
    ['at once: numbers out of range', batch(() => event(`{"n":[${'1e999,'.repeat(9_000)}1]}`), 100_000, small)],
    ['at once: wrong names, lenient', batch(() => event('').replace('}', ',"A":1}'), 100_000, small), true],
    ['at once: empty objects, lenient', batch(() => '{}', 43_000, small), true],
  ];
  const type = 'application/cloudevents-batch+json';
  const plain = texts.map(([body, text, isLenient]) => ({
    body,
    headers: { 'Content-Type': type, ...(isLenient && { Prefer: 'handling=lenient' }) } as Record<string, string>,
    bytes: Buffer.from(text) as Uint8Array,
  }));
  const zipped = { 'Content-Type': type, 'Content-Encoding': 'gzip' };
  const bomb = gzipSync(`[${' '.repeat(100 * 1024 * 1024)}]`);
  return [
    ...plain,
    { body: '100,000 events in gzip', headers: zipped, bytes: gzipSync(batch(() => event(''), 100_000)) },
    { body: 'gzip of 100 MB', headers: zipped, bytes: bomb },
  ];
}
