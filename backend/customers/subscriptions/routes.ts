import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import type { EditService } from './edit-service.ts';
import type { EndService } from './end-service.ts';
import { SUBSCRIPTION_SORT, type SubscriptionQueries } from './query-service.ts';
import {
  cancelSubscriptionSchema,
  changeSubscriptionSchema,
  createSubscriptionSchema,
  editSubscriptionSchema,
  migrateSubscriptionSchema,
  type SubscriptionFilterField,
  subscriptionChangeSchema,
  subscriptionPageSchema,
  subscriptionSchema,
} from './schema.ts';
import type { StartService } from './start-service.ts';

const TAG = 'Subscriptions';
const FILTERS: Record<SubscriptionFilterField, FilterKind> = {
  id: 'ulid',
  customer_id: 'ulid',
  status: 'string-exact',
  plan_id: 'ulid',
  plan_key: 'string-exact',
};
const params = z.object({ subscriptionId: ulidSchema });
const ONE = '/subscriptions/{subscriptionId}';
const answer = { 200: jsonResponse('The subscription.', subscriptionSchema) };
const changed = { 200: jsonResponse('The subscription and the one that takes over.', subscriptionChangeSchema) };

/** Everything that routes of subscriptions call. */
export type SubscriptionsService = SubscriptionQueries & StartService & EndService & EditService;

/** Registers the operations of subscriptions, but for their add-ons. */
export function subscriptionRoutes(router: Router, service: SubscriptionsService): void {
  resourceRoutes(router, {
    kind: 'subscription',
    name: 'subscription',
    path: ONE,
    tag: TAG,
    schema: subscriptionSchema,
    create: {
      description:
        'To a version of a plan or to a custom plan, now or from an instant in the future on. Of a feature, a customer ' +
        'has one priced or granted item at a time, over all its subscriptions.',
      answer: 'The subscription.',
      access: 'write',
      body: createSubscriptionSchema,
      run: service.create,
    },
    list: {
      answer: 'A page of subscriptions.',
      page: subscriptionPageSchema,
      query: queryOf({ page: numberedPage(), sort: sortBy(SUBSCRIPTION_SORT), filters: filterBy(FILTERS) }),
      run: (query) => service.list(query.filters, query.sort, query.page),
    },
    get: { answer: 'The subscription.', run: service.get },
  });
  endRoutes(router, service);
  changeRoutes(router, service);
}

function endRoutes(router: Router, service: SubscriptionsService): void {
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/cancel`,
      operationId: 'cancel-subscription',
      tag: TAG,
      summary: 'Cancel subscription',
      description: 'Now, at the end of the billing period, or at a border between two billing periods.',
      access: 'write',
      params,
      body: cancelSubscriptionSchema,
      responses: answer,
    },
    async ({ answer, params: { subscriptionId }, body }) => answer(await service.cancel(subscriptionId, body.timing)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/unschedule-cancelation`,
      operationId: 'unschedule-cancelation',
      tag: TAG,
      summary: 'Unschedule subscription cancelation',
      access: 'write',
      params,
      responses: answer,
    },
    async ({ answer, params: { subscriptionId } }) => answer(await service.continue(subscriptionId)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/unschedule`,
      operationId: 'unschedule-subscription',
      tag: TAG,
      summary: 'Unschedule subscription',
      description: 'Deletes a subscription that is yet to begin.',
      access: 'write',
      params,
      responses: { 204: { description: 'Deleted.' } },
    },
    async ({ c, params: { subscriptionId } }) => {
      await service.unschedule(subscriptionId);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/restore`,
      operationId: 'restore-subscription',
      tag: TAG,
      summary: 'Restore subscription',
      description: 'Deletes the subscriptions that were to take over, and goes on without end.',
      access: 'write',
      params,
      responses: answer,
    },
    async ({ answer, params: { subscriptionId } }) => answer(await service.restore(subscriptionId)),
  );
}

function changeRoutes(router: Router, service: SubscriptionsService): void {
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/change`,
      operationId: 'change-subscription',
      tag: TAG,
      summary: 'Change subscription',
      description: 'Ends the subscription and begins one to another plan at the same instant. The customer stays.',
      access: 'write',
      params,
      body: changeSubscriptionSchema,
      responses: changed,
    },
    async ({ answer, params: { subscriptionId }, body }) => answer(await service.change(subscriptionId, body)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/migrate`,
      operationId: 'migrate-subscription',
      tag: TAG,
      summary: 'Migrate subscription',
      description:
        'Goes on with a later version of the plan. Items that say the same keep their periods; with another anchor or ' +
        'starting phase, a new subscription takes over.',
      access: 'write',
      params,
      body: migrateSubscriptionSchema,
      responses: changed,
    },
    async ({ answer, params: { subscriptionId }, body }) => answer(await service.migrate(subscriptionId, body)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${ONE}/edit`,
      operationId: 'edit-subscription',
      tag: TAG,
      summary: 'Edit subscription',
      description: 'Items and phases of this subscription alone, one after the other. What is past stays.',
      access: 'write',
      params,
      body: editSubscriptionSchema,
      responses: answer,
    },
    async ({ answer, params: { subscriptionId }, body }) => answer(await service.edit(subscriptionId, body)),
  );
}
