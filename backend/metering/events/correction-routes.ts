import { z } from '@hono/zod-openapi';
import { cursorPage, numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import {
  correctedEventPageSchema,
  correctionPageSchema,
  correctionPreviewSchema,
  correctionSchema,
  createCorrectionSchema,
} from './correction-schema.ts';
import type { CorrectionsService } from './correction-service.ts';

const TAG = 'Event Corrections';
const PATH = '/events/corrections';
const correctionId = z.object({ correctionId: ulidSchema });

/** Registers corrections of events. Our own addition to the contract. */
export function correctionRoutes(router: Router, service: CorrectionsService): void {
  router.endpoint(
    {
      method: 'post',
      path: PATH,
      operationId: 'create-event-correction',
      tag: TAG,
      summary: 'Make events void, or count them again',
      description:
        'The selected events that are stored by now stop counting in every figure at once, or count again. They stay ' +
        'stored and listed, and keep their place as the first of their source and id. Up to 5,000 events are changed ' +
        'together before the answer (201); more go on in slices of as many (202), and `GET` tells how far they are. ' +
        '`dry_run` answers what would change.',
      access: 'administer',
      body: createCorrectionSchema,
      changesNothing: ({ dry_run }) => dry_run === true,
      responses: {
        200: jsonResponse('With `dry_run`: what would change.', correctionPreviewSchema),
        201: jsonResponse('All events are changed.', correctionSchema),
        202: jsonResponse('The first events are changed, the others follow.', correctionSchema),
      },
    },
    async ({ c, answer, body }) => {
      if (body.dry_run) return answer(await service.preview(body, c.req.raw.signal));
      const correction = await service.create(body, c.get('caller')?.tokenName ?? '');
      return answer(correction, correction.state === 'finished' ? 201 : 202);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: PATH,
      operationId: 'list-event-corrections',
      tag: TAG,
      summary: 'List corrections of events',
      description: 'The audit list: who made which events void or count again, when and why. Newest first.',
      access: 'read',
      query: queryOf({ page: numberedPage() }),
      responses: { 200: jsonResponse('A page of corrections.', correctionPageSchema) },
    },
    async ({ answer, query }) => answer(await service.list(query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: `${PATH}/{correctionId}`,
      operationId: 'get-event-correction',
      tag: TAG,
      summary: 'Get correction of events',
      access: 'read',
      params: correctionId,
      responses: { 200: jsonResponse('The correction and how far it is.', correctionSchema) },
    },
    async ({ answer, params }) => answer(await service.get(params.correctionId)),
  );
  router.endpoint(
    {
      method: 'get',
      path: `${PATH}/{correctionId}/events`,
      operationId: 'list-corrected-events',
      tag: TAG,
      summary: 'List events of a correction',
      description: 'The events that the correction has changed, as they are now, in the order of storing.',
      access: 'read',
      params: correctionId,
      query: queryOf({ page: cursorPage() }),
      responses: { 200: jsonResponse('A page of events.', correctedEventPageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.events(params.correctionId, query.page)),
  );
}
