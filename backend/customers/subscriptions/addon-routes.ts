import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import { SUBSCRIPTION_ADDON_SORT, type SubscriptionAddonService } from './addon-service.ts';
import {
  createSubscriptionAddonSchema,
  subscriptionAddonPageSchema,
  subscriptionAddonSchema,
  updateSubscriptionAddonSchema,
} from './schema.ts';

const TAG = 'Subscriptions';
const ALL = '/subscriptions/{subscriptionId}/addons';
const ONE = `${ALL}/{subscriptionAddonId}`;
const ofSubscription = z.object({ subscriptionId: ulidSchema });
const ofAddon = z.object({ subscriptionId: ulidSchema, subscriptionAddonId: ulidSchema });
const answer = jsonResponse('The add-on of the subscription.', subscriptionAddonSchema);

/** Registers the operations of add-ons that subscriptions have bought. */
export function subscriptionAddonRoutes(router: Router, service: SubscriptionAddonService): void {
  router.endpoint(
    {
      method: 'post',
      path: ALL,
      operationId: 'create-subscription-addon',
      tag: TAG,
      summary: 'Create subscription add-on',
      description: 'Buys an add-on on top of the plan. To have more of it later, change its quantity.',
      access: 'write',
      params: ofSubscription,
      body: createSubscriptionAddonSchema,
      responses: { 201: answer },
    },
    async ({ answer, params, body }) => answer(await service.create(params.subscriptionId, body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: ALL,
      operationId: 'list-subscription-addons',
      tag: TAG,
      summary: 'List subscription add-ons',
      access: 'read',
      params: ofSubscription,
      query: queryOf({ page: numberedPage(), sort: sortBy(SUBSCRIPTION_ADDON_SORT) }),
      responses: { 200: jsonResponse('A page of add-ons.', subscriptionAddonPageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.list(params.subscriptionId, query.sort, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: ONE,
      operationId: 'get-subscription-addon',
      tag: TAG,
      summary: 'Get subscription add-on',
      access: 'read',
      params: ofAddon,
      responses: { 200: answer },
    },
    async ({ answer, params }) => answer(await service.get(params.subscriptionId, params.subscriptionAddonId)),
  );
  router.endpoint(
    {
      method: 'patch',
      path: ONE,
      operationId: 'update-subscription-addon',
      tag: TAG,
      summary: 'Update subscription add-on',
      description: 'Another quantity from an instant on. 0 gives the add-on up.',
      access: 'write',
      params: ofAddon,
      body: updateSubscriptionAddonSchema,
      responses: { 200: answer },
    },
    async ({ answer, params, body }) =>
      answer(await service.update(params.subscriptionId, params.subscriptionAddonId, body)),
  );
}
