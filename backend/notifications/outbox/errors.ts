import { codedProblems } from '../../platform/coded-problems.ts';
import { notFound, type RequestProblem } from '../../platform/errors.ts';

const EVENT_ERRORS = {
  notification_channel_not_of_event: { field: 'channels', message: 'the event goes to no such channel' },
  notification_channel_disabled: { field: 'channels', message: 'the channel is disabled' },
} as const;

/** 400 with one of the codes. */
export const eventProblem = codedProblems(EVENT_ERRORS);

export function eventNotFound(id: string): RequestProblem {
  return notFound('notification event', id);
}
