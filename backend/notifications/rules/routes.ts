import { filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { idIn, resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import { eventSchema, type Outbox } from '../outbox/index.ts';
import { RULE_TYPES } from './rule-types/index.ts';
import { eventTypesSchema, type RuleFilterField, rulePageSchema, ruleRequestSchema, ruleSchema } from './schema.ts';
import { RULE_SORT, type RulesService } from './service.ts';

const TAG = 'Notifications';
const PATH = '/notification/rules/{ruleId}';

/** Registers the operations of notification rules. */
export function ruleRoutes(router: Router, service: RulesService, outbox: Pick<Outbox, 'get'>): void {
  resourceRoutes(router, {
    kind: 'notification-rule',
    name: 'notification rule',
    path: PATH,
    tag: TAG,
    schema: ruleSchema,
    create: { answer: 'The rule.', access: 'write', body: ruleRequestSchema, run: service.create },
    list: {
      answer: 'A page of rules.',
      page: rulePageSchema,
      query: queryOf({
        filters: filterBy<RuleFilterField>({
          id: 'ulid',
          name: 'string',
          type: { oneOf: RULE_TYPES },
          disabled: 'boolean',
          created_at: 'datetime',
          updated_at: 'datetime',
        }),
        sort: sortBy(RULE_SORT),
        page: numberedPage(),
      }),
      run: ({ filters, sort, page }) => service.list(filters, sort, page),
    },
    get: { answer: 'The rule; a deleted one carries deleted_at.', run: (id) => service.get(id) },
    change: {
      verb: 'update',
      description: 'Replaces everything but the type: what is left out is reset.',
      answer: 'The rule.',
      access: 'write',
      body: ruleRequestSchema,
      run: service.update,
    },
    remove: { description: 'What it has told stays listed.', access: 'write', run: service.remove },
  });
  testRoutes(router, service, outbox);
}

function testRoutes(router: Router, service: RulesService, outbox: Pick<Outbox, 'get'>): void {
  const { params, idOf } = idIn(PATH);
  router.endpoint(
    {
      method: 'post',
      path: `${PATH}/test`,
      operationId: 'test-notification-rule',
      tag: TAG,
      summary: 'Test notification rule',
      description: "Tells the rule's channels an example, whose event is marked as one.",
      access: 'write',
      params,
      responses: { 201: jsonResponse('The event.', eventSchema) },
    },
    async ({ answer, params: given }) => answer(await outbox.get(await service.test(idOf(given))), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/notification/event-types',
      operationId: 'list-notification-event-types',
      tag: TAG,
      summary: 'List notification event types',
      description: 'What can be told, with the JSON Schema of its messages and an example of one.',
      access: 'read',
      responses: { 200: jsonResponse('All types.', eventTypesSchema) },
    },
    ({ answer }) => answer(service.eventTypes()),
  );
}
