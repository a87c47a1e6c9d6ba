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
const KEYS = 1000;
/** A list that the document leaves open is bounded by the values of the body. */
const ITEMS = 1000;
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
  const object = (value: string) => `{${Array.from({ length: KEYS }, (_, index) => `"k${index}":${value}`).join()}}`;
  // As many keys as a body may have, in objects that are as large as they may be.
  const keys = (value: string) =>
    `{${Array.from({ length: VALUES / KEYS - 1 }, (_, index) => `"o${index}":${object(value)}`).join()}}`;
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
    const own = resolve(document, property);
    const items = properties.length === 0 ? [] : itemsOf(own, document);
    const count = own?.maxItems ?? ITEMS;
    const full =
      own?.type === 'array' ? JSON.stringify({ ...whole(schema, document), [name]: many(own, document, count) }) : '';
    return [
      ...(full.length > 2 && full.length < BODY_BYTES ? [[`${name}: full`, full] as [string, string]] : []),
      [`${name}: objects`, inside(list('{}').slice(0, BODY_BYTES))],
      [`${name}: keys`, inside(keys('"x"'))],
      [`${name}: numbers`, inside(list('1e999').slice(0, BODY_BYTES))],
      [`${name}: as many as it may have`, inside(`[${Array(Math.min(count, VALUES)).fill('{"a":1e999}').join()}]`)],
      ...items.map((item): [string, string] => [
        `${name}: items`,
        inside(
          `[${Array(Math.min(count, VALUES / 8))
            .fill(item)
            .join()}]`,
        ),
      ]),
    ];
  });
  return [...general, ...filled];
}

/** A value that passes the checks that its schema tells of: all its properties, a few of each list. */
function whole(schema: Schema, document: Schema, depth = 0): Schema {
  const own = resolve(document, schema);
  if (own?.example !== undefined) return own.example;
  if (own?.default !== undefined) return own.default;
  if (own?.enum !== undefined) return own.enum[0];
  const [variant] = own?.oneOf ?? own?.anyOf ?? [];
  if (variant !== undefined) return whole(variant, document, depth);
  if (own?.type === 'array') return many(own, document, 2, depth);
  if (own?.type === 'boolean') return true;
  if (own?.type === 'integer' || own?.type === 'number') return own.minimum ?? 1;
  if (own?.type === 'string' || own?.properties === undefined) return textOf(own);
  if (depth > 8) return {};
  const properties = Object.entries<Schema>(propertiesOf(own, document));
  return Object.fromEntries(properties.map(([name, property]) => [name, whole(property, document, depth + 1)]));
}

/** Entries of a list, each with a text of its own where it has a key or a name. */
function many(list: Schema, document: Schema, count: number, depth = 0): Schema[] {
  const item = whole(list.items ?? {}, document, depth + 1);
  const values = Math.max(1, JSON.stringify(item ?? null).split(/[,:]/).length);
  const length = Math.min(count, Math.floor(VALUES / values));
  return Array.from({ length }, (_, index) => {
    if (typeof item !== 'object' || item === null) return item;
    return { ...item, ...('key' in item && { key: `k_${index}` }), ...('name' in item && { name: `n ${index}` }) };
  });
}

function textOf(schema: Schema): string {
  const pattern: string = schema?.pattern ?? '';
  if (schema?.format === 'date-time') return '2026-01-01T00:00:00Z';
  if (pattern.includes('[0-7]')) return SOME_ID;
  if (/^\^?P|duration/.test(`${pattern}${schema?.format ?? ''}`)) return 'P1M';
  if (/\\d|\[0-9\]/.test(pattern) && !pattern.includes('a-z')) return '1';
  return pattern.includes('A-Z') ? 'USD' : 'abc';
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
