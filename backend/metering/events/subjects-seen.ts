import { z } from '@hono/zod-openapi';
import { strictQueryOf } from '../../platform/http/query.ts';
import { limit, text, timeRange } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { dateTimeSchema } from '../../platform/http/schemas.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { UsageStore } from '../usage-store/index.ts';

const QUERY = strictQueryOf({
  range: timeRange({
    from: 'Inclusive, widened to a whole day (UTC).',
    to: 'Exclusive, widened to a whole day (UTC).',
  }),
  prefix: text('prefix', 'Only subjects that begin with this text.'),
  type: text('type', 'Only events of this type.'),
  limit: limit('Subjects'),
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
    async ({ c, answer, query: { range, ...others } }) => {
      const request = { ...range, ...others };
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
