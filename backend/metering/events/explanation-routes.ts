import { invalidParameter } from '../../platform/errors.ts';
import { strictQueryOf } from '../../platform/http/query.ts';
import { text } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import type { ExplanationsService } from './explanation.ts';
import { explanationSchema } from './explanation-schema.ts';

const QUERY = strictQueryOf({
  id: text('event_id', 'Id of an event. Either this or `subject`.'),
  source: text('source', 'Source of the event, where several have the id.'),
  subject: text('subject', 'A subject: what it has sent, and its youngest events.'),
});

/** Registers the answer to "why was this not counted?". Our own addition to the contract. */
export function explanationRoutes(router: Router, service: ExplanationsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/events/explanation',
      operationId: 'explain-events',
      tag: 'Metering Events',
      summary: 'Explain why events count or not',
      description:
        'For an event or a subject: which meters count it with which value, which features count it, and each reason ' +
        'against it, in a code and in words: void, no meter for its type, an unusable value, before the meter begins, ' +
        "no customer, excluded by features' filters, before or after the customer's subscriptions, not in the plan, " +
        'duplicates.',
      access: 'read',
      query: QUERY,
      responses: { 200: jsonResponse('The events and the reasons.', explanationSchema) },
    },
    async ({ answer, query: { id, source, subject } }) => {
      if (id !== undefined && subject === undefined) return answer(await service.ofEvent(id, source));
      if (subject !== undefined && id === undefined && source === undefined) {
        return answer(await service.ofSubject(subject));
      }
      const reason = 'give either event_id (with source, if need be) or subject';
      throw invalidParameter({ field: 'event_id', rule: 'invalid', reason, source: 'query' });
    },
  );
}
