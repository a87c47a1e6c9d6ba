import { z } from '@hono/zod-openapi';
import { queryParameters, readLimit, readTimeRange, refuseUnknown } from '../../platform/http/range-params.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { dateTimeSchema } from '../../platform/http/schemas.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { UsageStore } from '../usage-store/index.ts';

const QUERY = queryParameters({
  from: 'Inclusive, widened to a whole day (UTC).',
  to: 'Exclusive, widened to a whole day (UTC).',
  prefix: 'Only subjects that begin with this text.',
  type: 'Only events of this type.',
  limit: 'Subjects at most, 1 to 1,000, default 100.',
});

const subjectsSeenSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        subject: z.string(),
        events: z.int().openapi({ description: 'Events that are not void.' }),
        voided: z.int(),
        last_seen_at: dateTimeSchema,
      }),
    ),
    total: z.int().openapi({ description: 'Subjects that match, also beyond the limit.' }),
  })
  .openapi('SubjectsSeen');

/** Registers the subjects that there are: for pickers. Our own addition to the contract. */
export function subjectsSeenRoutes(router: Router, usage: UsageStore): void {
  router.endpoint(
    {
      method: 'get',
      path: '/events/subjects',
      operationId: 'list-subjects-seen',
      tag: 'Metering Events',
      summary: 'List subjects seen',
      description: 'Subjects with events on some days, those with the most events first.',
      access: 'read',
      query: QUERY,
      responses: { 200: jsonResponse('The subjects.', subjectsSeenSchema) },
    },
    async ({ c, answer, query }) => {
      refuseUnknown(query, QUERY);
      const request = {
        ...readTimeRange(query),
        prefix: query.get('prefix'),
        type: query.get('type'),
        limit: readLimit(query),
      };
      const { subjects, total } = await usage.subjectsSeen(request, c.req.raw.signal);
      const data = subjects.map(({ subject, count, voided, lastSeenAtMs }) => ({
        subject,
        events: count,
        voided,
        last_seen_at: formatInstant(lastSeenAtMs),
      }));
      return answer({ data, total });
    },
  );
}
