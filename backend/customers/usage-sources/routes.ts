import { filled } from '../../platform/defined.ts';
import { refine, strictQueryOf } from '../../platform/http/query.ts';
import { choice, limit, text, timeRange } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { formatInstant } from '../../platform/instant.ts';
import { customerSchema } from '../customers/index.ts';
import { attributeSubjectSchema, unattributedSubjectsSchema, usageSourcesSchema } from './schema.ts';
import type { SubjectField, UsageSourcesService } from './service.ts';

const TAG = 'Customers';
const UNATTRIBUTED = strictQueryOf({
  range: timeRange({
    from: 'Inclusive, widened to a whole day (UTC).',
    to: 'Exclusive, widened to a whole day (UTC).',
  }),
  prefix: text('prefix', 'Only subjects that begin with this text.'),
  type: text('type', 'Only events of this type.'),
  limit: limit('Subjects'),
});
const FIELDS: readonly SubjectField[] = ['username', 'custom_id', 'id'];
const SOURCES = strictQueryOf({
  search: refine(text('search', 'Only what contains this text, whatever its case.'), filled),
  field: choice(
    'field',
    `Field of a consumer that its events carry as subject: ${FIELDS.join(', ')}; default username.`,
    FIELDS,
    { fallback: 'username' },
  ),
  limit: limit('Sources'),
});

/** Registers where usage comes from and whose it is. Our own addition to the contract. */
export function usageSourceRoutes(router: Router, service: UsageSourcesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/unattributed-subjects',
      operationId: 'list-unattributed-subjects',
      tag: TAG,
      summary: 'List unattributed subjects',
      description: 'Subjects with events that no customer owns: usage that nobody pays for. Most events first.',
      access: 'read',
      query: UNATTRIBUTED,
      responses: { 200: jsonResponse('The subjects.', unattributedSubjectsSchema) },
    },
    async ({ c, answer, query: { range, ...others } }) => {
      const request = { ...range, ...others };
      const { subjects, total, count } = await service.unattributed(request, c.req.raw.signal);
      const data = subjects.map(({ subject, count: events, voided, lastSeenAtMs }) => ({
        subject,
        events,
        voided,
        last_seen_at: formatInstant(lastSeenAtMs),
      }));
      return answer({ data, total, total_events: count });
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/unattributed-subjects/attribute',
      operationId: 'attribute-subject',
      changes: { type: 'customers' },
      tag: TAG,
      summary: 'Attribute subject',
      description:
        'Gives a subject that nobody owns to a customer, or makes a customer of it. Its events of the past are the ' +
        "customer's too; subscriptions charge those from their start on.",
      access: 'write',
      body: attributeSubjectSchema,
      responses: {
        200: jsonResponse('The customer, with the subject.', customerSchema),
        201: jsonResponse('The customer that was made.', customerSchema),
      },
    },
    async ({ answer, body }) => {
      const { customer, isNew } = await service.attribute(body);
      return answer(customer, isNew ? 201 : 200);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/usage-sources',
      operationId: 'list-usage-sources',
      tag: TAG,
      summary: 'List usage sources',
      description:
        "What a customer's usage can come from: the consumers of the gateway where its Admin API is set, else the subjects seen.",
      access: 'read',
      query: SOURCES,
      responses: { 200: jsonResponse('The sources.', usageSourcesSchema) },
    },
    async ({ c, answer, query }) => answer(await service.sources(query, c.req.raw.signal)),
  );
}
