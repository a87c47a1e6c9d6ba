import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import type { QueryPart } from './query.ts';
import type { QueryParams } from './query-params.ts';
import { documented } from './query-parts.ts';

/** A page by number. */
export interface PageRequest {
  number: number;
  size: number;
}

/** A page by cursor: what follows `after`. */
export interface CursorRequest {
  size: number;
  after: string | undefined;
}

const DEFAULT_PAGE_SIZE = 20;
/** The contract sets no maximum for numbered pages; clients are known to ask for 1,000. */
const MAX_PAGE_SIZE = 1000;
/** The maximum of the events list, as the contract's reference implementation has it. */
const MAX_CURSOR_PAGE_SIZE = 100;
/** Page numbers beyond this overflow an offset. */
const MAX_PAGE_NUMBER = 1_000_000_000;

const itemsOnPage = (defaultSize: number) => documented(z.int().min(1), `Items on a page, default ${defaultSize}.`);

/** `page[number]` (default 1) and `page[size]` (default 20 unless told). */
export function numberedPage(defaultSize = DEFAULT_PAGE_SIZE): QueryPart<PageRequest> {
  return {
    parameters: {
      'page[size]': itemsOnPage(defaultSize),
      'page[number]': documented(z.int().min(1), 'Number of the page, from 1.'),
    },
    read: (params) => {
      refuseUnknownPageKeys(params, ['page[number]', 'page[size]']);
      return {
        number: readInteger(params, 'page[number]', 1, MAX_PAGE_NUMBER),
        size: readInteger(params, 'page[size]', defaultSize, MAX_PAGE_SIZE),
      };
    },
  };
}

/** `page[size]` (1 to 100, default 20) and `page[after]`; `page[before]` is refused. */
export function cursorPage(): QueryPart<CursorRequest> {
  return {
    parameters: {
      'page[size]': itemsOnPage(DEFAULT_PAGE_SIZE),
      'page[after]': documented(z.string(), 'Cursor: `meta.page.next` of the page before.'),
    },
    read: (params) => {
      refuseUnknownPageKeys(params, ['page[size]', 'page[after]', 'page[before]']);
      if (params.has('page[before]')) {
        const reason = 'backward pagination is not supported';
        throw invalidParameter({ field: 'page[before]', rule: 'invalid', reason, source: 'query' });
      }
      return {
        size: readInteger(params, 'page[size]', DEFAULT_PAGE_SIZE, MAX_CURSOR_PAGE_SIZE),
        after: params.get('page[after]'),
      };
    },
  };
}

function refuseUnknownPageKeys(params: QueryParams, known: readonly string[]): void {
  for (const name of params.keys()) {
    if (name !== 'page' && !name.startsWith('page[')) continue;
    if (known.includes(name)) continue;
    throw invalidParameter({
      field: name,
      rule: 'unknown_property',
      reason: `unknown parameter; known are ${known.join(', ')}`,
      source: 'query',
    });
  }
}

function readInteger(params: QueryParams, name: string, fallback: number, max: number): number {
  const text = params.get(name);
  if (text === undefined) return fallback;
  if (!/^-?\d+$/.test(text)) {
    throw invalidParameter({ field: name, rule: 'is_integer', reason: 'must be an integer', source: 'query' });
  }
  const value = Number.parseInt(text, 10);
  if (value >= 1 && value <= max) return value;
  const bound = value < 1 ? ({ rule: 'min', minimum: 1 } as const) : ({ rule: 'max', maximum: max } as const);
  throw invalidParameter({ field: name, ...bound, reason: `must be between 1 and ${max}`, source: 'query' });
}

/** `meta` of a numbered page. */
export function pageMeta(page: PageRequest, total: number) {
  return { page: { number: page.number, size: page.size, total } };
}

export const pageMetaSchema = z
  .object({ page: z.object({ number: z.int(), size: z.int(), total: z.int() }) })
  .openapi('PaginatedMeta');

export const cursorMetaSchema = z
  .object({
    page: z.object({
      size: z.int(),
      first: z.string().optional(),
      last: z.string().optional(),
      next: z.string().nullable(),
      previous: z.string().nullable(),
    }),
  })
  .openapi('CursorMeta');
