import { invalidParameter } from '../platform/errors.ts';
import type { QueryParams } from '../platform/http/query-params.ts';
import { queryParameters, readLimit, refuseUnknown } from '../platform/http/range-params.ts';
import { jsonResponse, type Router } from '../platform/http/router.ts';
import { searchAnswerSchema } from './schema.ts';
import type { SearchService } from './service.ts';

const QUERY = queryParameters({
  q: 'What is looked for, 1 to 256 characters.',
  limit: 'Things of each kind at most, 1 to 1,000, default 100.',
});
/** As long as names and keys get. */
const MAX_CHARACTERS = 256;

/** Registers the search. Our own addition to the contract. */
export function searchRoutes(router: Router, service: SearchService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/search',
      operationId: 'search',
      tag: 'Search',
      summary: 'Search everything',
      description:
        'Customers, plans, add-ons, features and meters by a part of their name or key, customers also by a whole ' +
        'subject, invoices by a part of their number, and all of them, subscriptions and events by their whole id.',
      access: 'read',
      query: QUERY,
      responses: { 200: jsonResponse('What was found, by kind.', searchAnswerSchema) },
    },
    async ({ c, answer, query }) => {
      refuseUnknown(query, QUERY);
      return answer(await service.search(readText(query), readLimit(query), c.req.raw.signal));
    },
  );
}

function readText(query: QueryParams): string {
  const text = query.get('q')?.trim() ?? '';
  if (text.length >= 1 && text.length <= MAX_CHARACTERS) return text;
  const reason = `must have 1 to ${MAX_CHARACTERS} characters`;
  throw invalidParameter({ field: 'q', rule: 'invalid', reason, source: 'query' });
}
