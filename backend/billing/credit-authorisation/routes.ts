import { z } from '@hono/zod-openapi';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import type { Scope } from '../../platform/scope.ts';
import type { CreditAuthorisationDeps } from './deps.ts';
import { creditLeasesSchema, creditStopSchema } from './schema.ts';
import { leasesOf, setStop, stopOf } from './stops.ts';

const TAG = 'Credits';

/** Registers what sellers say of features, and what shows who holds credit. */
export function creditAuthorisationRoutes(router: Router, scope: Scope, deps: CreditAuthorisationDeps): void {
  stopRoutes(router, scope, deps);
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/credits/leases',
      operationId: 'list-credit-leases',
      tag: TAG,
      summary: 'List credit leases',
      description: 'Usage that gateway nodes may let through without asking; nobody else is given the credit for it.',
      access: 'read',
      params: z.object({ customerId: ulidSchema }),
      responses: { 200: jsonResponse('What is leased now.', creditLeasesSchema) },
    },
    async ({ answer, params }) => answer({ data: await leasesOf(scope, deps, params.customerId) }),
  );
}

function stopRoutes(router: Router, scope: Scope, deps: CreditAuthorisationDeps): void {
  const params = z.object({ featureId: ulidSchema });
  router.endpoint(
    {
      method: 'get',
      path: '/features/{featureId}/credit-stop',
      operationId: 'get-feature-credit-stop',
      tag: TAG,
      summary: 'Get whether a feature stops without credit',
      access: 'read',
      params,
      responses: { 200: jsonResponse('Whether it does.', creditStopSchema) },
    },
    async ({ answer, params: { featureId } }) => answer(await stopOf(scope, deps, featureId)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/features/{featureId}/credit-stop',
      operationId: 'set-feature-credit-stop',
      tag: TAG,
      summary: 'Set whether a feature stops without credit',
      description: 'It is in force at gateways with their next question, some seconds later.',
      access: 'write',
      params,
      body: creditStopSchema,
      responses: { 200: jsonResponse('As it is now.', creditStopSchema) },
    },
    async ({ answer, params: { featureId }, body }) => answer(await setStop(scope, deps, featureId, body)),
  );
}
