import { passesCondition } from '../../platform/http/filter-match.ts';
import { filterBy } from '../../platform/http/filtering.ts';
import { numberedPage, type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { ROLE_MEANINGS, ROLES } from '../../platform/http/roles.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import {
  type AccessTokenPage,
  accessTokenPageSchema,
  accessTokenSchema,
  accessTokenSelfSchema,
  createAccessTokenSchema,
  createdAccessTokenSchema,
} from './schema.ts';
import type { AccessTokens } from './service.ts';

const TAG = 'Access tokens';
const FILTERS = {
  name: 'string',
  role: { oneOf: ROLES },
  kind: { oneOf: ['system', 'personal', 'configured'] },
  status: { oneOf: ['active', 'expired'] },
} as const;

/** Registers access tokens. Our own addition to the contract; field names are those of Konnect's system account tokens. */
export function accessTokenRoutes(router: Router, tokens: AccessTokens): void {
  selfRoute(router);
  router.endpoint(
    {
      method: 'post',
      path: '/access-tokens',
      operationId: 'create-access-token',
      tag: TAG,
      summary: 'Create access token',
      description: 'The answer carries the token. Only its hash is kept, so no later answer can.',
      access: 'administer',
      body: createAccessTokenSchema,
      responses: { 201: jsonResponse('The token, this once.', createdAccessTokenSchema) },
    },
    async ({ answer, body }) => answer(await tokens.create(body), 201),
  );
  resourceRoutes(router, {
    kind: 'access-token',
    name: 'access token',
    path: '/access-tokens/{accessTokenId}',
    tag: TAG,
    schema: accessTokenSchema,
    list: {
      description: 'Configured ones first, then the oldest first. Revoked ones are gone; the audit log knows them.',
      answer: 'A page of tokens.',
      access: 'administer',
      page: accessTokenPageSchema,
      query: queryOf({ page: numberedPage(), filters: filterBy(FILTERS) }),
      run: async ({ page, filters }) => {
        const isFound = (token: AccessTokenPage['data'][number]) =>
          filters.every((condition) => passesCondition(token[condition.field], condition));
        return pageOf((await tokens.list()).filter(isFound), page);
      },
    },
    get: { answer: 'The token without its text.', access: 'administer', run: tokens.get },
    remove: {
      verb: 'revoke',
      description:
        'The token stops working at once. 409 for configured ones, and for the last one that can administer and does ' +
        'not expire.',
      answer: 'Revoked.',
      access: 'administer',
      run: tokens.revoke,
    },
  });
}

/** Whose token this is, and what it may do. Any valid token may ask. */
function selfRoute(router: Router): void {
  router.endpoint(
    {
      method: 'get',
      path: '/access-tokens/self',
      operationId: 'get-access-token-self',
      tag: TAG,
      summary: 'Get own access token',
      access: 'any',
      responses: { 200: jsonResponse('The token that the request carries.', accessTokenSelfSchema) },
    },
    ({ c, answer }) => {
      const caller = c.get('caller');
      if (caller === undefined) throw new Error('a route that needs a token was reached without one');
      const { tokenId, tokenName, role } = caller;
      const { title, grants } = ROLE_MEANINGS[role];
      return answer({ id: tokenId, name: tokenName, role, role_title: title, grants });
    },
  );
}

function pageOf(tokens: AccessTokenPage['data'], page: PageRequest): AccessTokenPage {
  const first = (page.number - 1) * page.size;
  return { data: tokens.slice(first, first + page.size), meta: pageMeta(page, tokens.length) };
}
