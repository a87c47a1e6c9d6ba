import { CHATS_WITH_PAYLOAD, CHATS_WITHOUT_PAYLOAD } from './recorded-chats.ts';
import { EDGE_CASES, SOCKET_RECORDINGS } from './recorded-requests.ts';
import type { RecordedUsage } from './recorded-usage-shape.ts';

export { WITHOUT_CUSTOM_ID } from './recorded-requests.ts';
export type { RecordedUsage } from './recorded-usage-shape.ts';

/** The Consumer of all authenticated recordings. */
export const ALICE = { id: 'b32379d9-3d28-5683-a79c-72139be6e34f', username: 'alice', custom_id: 'cust-alice' };

/** Every recording. */
export const RECORDED_USAGE: readonly RecordedUsage[] = [
  ...CHATS_WITH_PAYLOAD,
  ...CHATS_WITHOUT_PAYLOAD,
  ...EDGE_CASES,
  ...SOCKET_RECORDINGS,
];

/** The events of one recorded request for a subject, with both switches on and no custom attributes. */
export function expectedEvents(usage: RecordedUsage, subject: string, subjectType: string): readonly object[] {
  const { requestId, time, apiRequest, prompt, answer } = usage;
  const event = (id: string, type: string, data: object): object => ({
    specversion: '1.0',
    id,
    source: 'kong-gateway',
    type,
    subject,
    time,
    datacontenttype: 'application/json',
    data: { ...data, subject_type: subjectType },
  });
  return [
    event(requestId, 'kong.api_request', apiRequest),
    ...(prompt === undefined ? [] : [event(`${requestId}:request`, 'kong.llm_request', prompt)]),
    ...(answer === undefined ? [] : [event(`${requestId}:response`, 'kong.llm_request', answer)]),
  ];
}
