import { invalidParameter } from '../platform/errors.ts';
import { refine, strictQueryOf } from '../platform/http/query.ts';
import { limit, text } from '../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../platform/http/router.ts';
import { searchAnswerSchema } from './schema.ts';
import type { SearchService } from './service.ts';

/** As long as names and keys get. */
const MAX_CHARACTERS = 256;
const QUERY = strictQueryOf({
  text: refine(text('q', `What is looked for, 1 to ${MAX_CHARACTERS} characters.`), (given = '') => {
    const trimmed = given.trim();
    if (trimmed.length >= 1 && trimmed.length <= MAX_CHARACTERS) return trimmed;
    const reason = `must have 1 to ${MAX_CHARACTERS} characters`;
    throw invalidParameter({ field: 'q', rule: 'invalid', reason, source: 'query' });
  }),
  limit: limit('Things of each kind'),
});

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
    async ({ c, answer, query }) => answer(await service.search(query.text, query.limit, c.req.raw.signal)),
  );
}
