import { z } from '@hono/zod-openapi';
import { filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import type { Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import { type EventFilterField, eventPageSchema, eventSchema, resendSchema } from './schema.ts';
import { EVENT_SORT, type Outbox } from './service.ts';
import { DELIVERY_STATES } from './types.ts';

const TAG = 'Notifications';
const PATH = '/notification/events/{eventId}';

/** Registers the operations of notification events and their deliveries. */
export function outboxRoutes(router: Router, outbox: Outbox): void {
  resourceRoutes(router, {
    kind: 'notification-event',
    name: 'notification event',
    path: PATH,
    tag: TAG,
    schema: eventSchema,
    list: {
      description: 'What was told to whom, with every attempt. Dead letters are those whose delivery_status is failed.',
      answer: 'A page of events.',
      page: eventPageSchema,
      query: queryOf({
        filters: filterBy<EventFilterField>({
          id: 'ulid',
          type: 'string-exact',
          created_at: 'datetime',
          rule_id: 'ulid',
          channel_id: 'ulid',
          delivery_status: { oneOf: DELIVERY_STATES },
          subject: 'string-exact',
          feature: 'string-exact',
        }),
        sort: sortBy(EVENT_SORT),
        page: numberedPage(),
      }),
      run: ({ filters, sort, page }) => outbox.list(filters, sort, page),
    },
    get: { answer: 'The event with its deliveries.', run: outbox.get },
  });
  router.endpoint(
    {
      method: 'post',
      path: `${PATH}/resend`,
      operationId: 'resend-notification-event',
      tag: TAG,
      summary: 'Resend notification event',
      description:
        'Sends the very same message, with the same id, to the channels that are named, or to all that the event went to. ' +
        'What is on its way already is left alone.',
      access: 'write',
      params: z.object({ eventId: ulidSchema }),
      body: resendSchema,
      bodyIsOptional: true,
      responses: { 202: { description: 'It will be sent.' } },
    },
    async ({ c, params, body }) => {
      await outbox.resend(params.eventId, body);
      return c.body(null, 202);
    },
  );
}
