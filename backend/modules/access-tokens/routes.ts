import { z } from '@hono/zod-openapi';
import { grantsOf } from '../../platform/http/auth.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';

const selfSchema = z
  .strictObject({
    name: z.string().openapi({ description: "The token's name." }),
    role: z.string(),
    grants: z.array(z.string()).openapi({ description: 'What the role includes: "read", "write", "ingest".' }),
  })
  .openapi('AccessTokenSelf');

/** Our own addition to the contract: whose token this is, and what it may do. Any valid token may ask. */
export function accessTokenRoutes(router: Router): void {
  router.endpoint(
    {
      method: 'get',
      path: '/access-tokens/self',
      operationId: 'get-access-token-self',
      tag: 'Access tokens',
      summary: 'Get own access token',
      access: 'any',
      responses: { 200: jsonResponse('The token that the request carries.', selfSchema) },
    },
    ({ c }) => {
      const caller = c.get('caller');
      if (caller === undefined) throw new Error('a route that needs a token was reached without one');
      return c.json({ name: caller.tokenName, role: caller.role, grants: grantsOf(caller.role) });
    },
  );
}
