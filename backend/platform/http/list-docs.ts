import { z } from '@hono/zod-openapi';
import { type FilterKind, nameOfKind } from './filtering.ts';
import type { SortRules } from './sorting.ts';

/** Documents the query parameters of a list; reading them is the work of paging, sorting and filtering. */
export function listQuery(
  paging: 'page' | 'cursor',
  sort: SortRules<string> | undefined,
  filters: Readonly<Record<string, FilterKind>>,
): z.ZodObject {
  const number = (description: string) =>
    z
      .int()
      .min(1)
      .optional()
      .openapi({ param: { in: 'query' }, description });
  const text = (description: string) =>
    z
      .string()
      .optional()
      .openapi({ param: { in: 'query' }, description });
  return z.object({
    'page[size]': number('Items on a page, default 20.'),
    ...(paging === 'page'
      ? { 'page[number]': number('Number of the page, from 1.') }
      : { 'page[after]': text('Cursor: `meta.page.next` of the page before.') }),
    ...(sort && {
      sort: text(
        `One of ${sort.fields.join(', ')}, optionally followed by " asc" or " desc"; default ${sort.default} ${sort.defaultDirection}.`,
      ),
    }),
    ...Object.fromEntries(
      Object.entries(filters).map(([field, kind]) => [
        kind === 'labels' ? `filter[${field}.KEY]` : `filter[${field}]`,
        text(`${equalTo(kind)}; other operators as filter[${field}][OPERATOR] (${nameOfKind(kind)}).`),
      ]),
    ),
  });
}

function equalTo(kind: FilterKind): string {
  return typeof kind === 'string' ? 'Equal to the value' : `Equal to the value, one of ${kind.oneOf.join(', ')}`;
}
