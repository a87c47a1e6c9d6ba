import { filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { idIn, resourceRoutes } from '../../platform/http/resource-routes.ts';
import { includes } from '../../platform/http/roles.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import {
  type ChannelFilterField,
  channelPageSchema,
  channelSchema,
  createChannelSchema,
  rotateSecretSchema,
  testResultSchema,
  updateChannelSchema,
} from './schema.ts';
import { CHANNEL_SORT, type ChannelsService } from './service.ts';

const TAG = 'Notifications';
const PATH = '/notification/channels/{channelId}';

/** Registers the operations of notification channels. */
export function channelRoutes(router: Router, service: ChannelsService): void {
  resourceRoutes(router, {
    kind: 'notification-channel',
    name: 'notification channel',
    path: PATH,
    tag: TAG,
    schema: channelSchema,
    create: {
      description: 'Without a signing_secret the server makes one, which the answer tells.',
      answer: 'The channel.',
      access: 'write',
      body: createChannelSchema,
      run: service.create,
    },
    list: {
      description: 'Without secrets.',
      answer: 'A page of channels.',
      page: channelPageSchema,
      query: queryOf({
        filters: filterBy<ChannelFilterField>({
          id: 'ulid',
          name: 'string',
          type: 'string-exact',
          disabled: 'boolean',
          created_at: 'datetime',
          updated_at: 'datetime',
        }),
        sort: sortBy(CHANNEL_SORT),
        page: numberedPage(),
      }),
      run: ({ filters, sort, page }) => service.list(filters, sort, page),
    },
    get: {
      answer: 'The channel; a deleted one carries deleted_at. Who may not change it is told no secret.',
      run: (id, caller) => service.get(id, caller !== undefined && includes(caller.role, 'write')),
    },
    change: {
      verb: 'update',
      description: 'Replaces everything but type and signing_secret: what else is left out is reset.',
      answer: 'The channel.',
      access: 'write',
      body: updateChannelSchema,
      run: service.update,
    },
    remove: { description: 'Refused while a rule uses it.', access: 'write', run: service.remove },
  });
  actionRoutes(router, service);
}

function actionRoutes(router: Router, service: ChannelsService): void {
  const { params, idOf } = idIn(PATH);
  router.endpoint(
    {
      method: 'post',
      path: `${PATH}/rotate-secret`,
      operationId: 'rotate-notification-channel-secret',
      tag: TAG,
      summary: 'Rotate signing secret of notification channel',
      description: 'Another secret signs from now on; until the overlap ends the one before signs as well.',
      access: 'write',
      params,
      body: rotateSecretSchema,
      bodyIsOptional: true,
      responses: { 200: jsonResponse('The channel with its new secret.', channelSchema) },
    },
    async ({ answer, params: given, body }) => answer(await service.rotate(idOf(given), body)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${PATH}/test`,
      operationId: 'test-notification-channel',
      tag: TAG,
      summary: 'Test notification channel',
      description: 'Sends a message of the type notification.test at once, and answers what became of it.',
      access: 'write',
      params,
      responses: { 200: jsonResponse('What became of it.', testResultSchema) },
    },
    async ({ answer, params: given }) => answer(await service.test(idOf(given))),
  );
}
