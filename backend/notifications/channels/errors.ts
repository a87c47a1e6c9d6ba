import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, notFound, type RequestProblem } from '../../platform/errors.ts';

const CHANNEL_ERRORS = {
  notification_channel_in_use: { field: undefined, message: 'rules use the channel' },
  notification_channel_type_fixed: { field: 'type', message: 'the type of a channel cannot be changed' },
  notification_channel_without_tls: {
    field: 'url',
    message: 'must be https: http is for networks that the operator allows (NOTIFICATION_ALLOWED_NETWORKS)',
  },
  notification_channel_overlap: { field: 'overlap', message: 'must be seven days at most' },
  notification_channels_too_many: { field: undefined, message: 'there are as many channels as there can be' },
} as const;

/** 400 with one of the codes. */
export const channelProblem = codedProblems(CHANNEL_ERRORS);

export function channelNotFound(id: string): RequestProblem {
  return notFound('notification channel', id);
}

export function channelDeleted(id: string): DomainProblem {
  return new DomainProblem('gone', `notification channel ${id} was deleted`);
}

/** 409: nobody can read what it was sealed with. */
export function secretsUnreadable(id: string): DomainProblem {
  return new DomainProblem(
    'resource-conflict',
    `the secrets of notification channel ${id} cannot be read with the SECRETS_KEY that is set: give a new signing_secret`,
  );
}
