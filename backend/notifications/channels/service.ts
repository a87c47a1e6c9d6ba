import { randomBytes } from 'node:crypto';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import { addDuration, durationFrom } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { SealedWithoutKey, type SecretBox } from '../../platform/secrets.ts';
import type { SendersChannel, Transports } from '../deliveries/index.ts';
import { outboxRepository, payloadText } from '../outbox/index.ts';
import { toChannelBody } from './bodies.ts';
import { channelDeleted, channelNotFound, channelProblem, secretsUnreadable } from './errors.ts';
import { channelRepository } from './repository.ts';
import type {
  ChannelBody,
  ChannelFilterField,
  ChannelPage,
  ChannelSortField,
  CreateChannel,
  RotateSecret,
  TestResult,
} from './schema.ts';
import { targetOf } from './target.ts';
import type { Channel, ChannelSecrets } from './types.ts';

export const CHANNEL_SORT: SortRules<ChannelSortField> = {
  fields: ['id', 'type', 'created_at', 'updated_at'],
  default: 'id',
  defaultDirection: 'asc',
};

/** Each costs the sender a look; nobody has as many receivers. */
const MAX_CHANNELS = 1000;
const DEFAULT_OVERLAP = 'PT24H';
const MAX_OVERLAP_MS = 7 * 86_400_000;
/** OpenMeter's own are as long. */
const SECRET_BYTES = 32;

export interface ChannelsDeps {
  scope: Scope;
  box: SecretBox;
  transports: Transports;
  /** Whether the operator allows any network, without which nothing is sent without TLS. */
  mayDoWithoutTls: boolean;
  /** Names of rules that use the channel. */
  rulesUsing(channelId: string, scope: Scope): Promise<string[]>;
}

export interface ChannelsService {
  /** @throws DomainProblem 400 */
  create(request: CreateChannel): Promise<ChannelBody>;
  list(
    filters: readonly FilterCondition<ChannelFilterField>[],
    sort: Sort<ChannelSortField>,
    page: PageRequest,
  ): Promise<ChannelPage>;
  /** Deleted ones too. @param mayChange whether secrets are told @throws RequestProblem 404 */
  get(id: string, mayChange: boolean): Promise<ChannelBody>;
  /** What is left out is reset, but the secret. @throws RequestProblem 404 @throws DomainProblem 400, 409, 410 */
  update(id: string, request: CreateChannel): Promise<ChannelBody>;
  /** A second time does nothing. @throws RequestProblem 404 @throws DomainProblem 400 while rules use it */
  remove(id: string): Promise<void>;
  /** Another secret signs; the one before as well, for a while. @throws as update */
  rotate(id: string, request: RotateSecret): Promise<ChannelBody>;
  /** Sends a message at once and tells what became of it; nothing is kept. @throws RequestProblem 404 @throws DomainProblem 410 */
  test(id: string): Promise<TestResult>;
  /** For the sender. @throws SealedWithoutKey */
  opened(id: string, scope: Scope): Promise<SendersChannel>;
  /** Which of them are neither switched off nor deleted. */
  openChannels(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
  /** Which of them are not deleted. */
  livingChannels(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
  /** @returns whether it was on */
  disable(id: string, reason: string, scope: Scope): Promise<boolean>;
}

/** Where something is told, and the secrets that prove who tells it. */
export function createChannelsService(deps: ChannelsDeps): ChannelsService {
  const { scope, box } = deps;
  const repository = (own: Scope) => channelRepository(own, box);
  const answer = async (channel: Channel, own: Scope) =>
    toChannelBody(channel, await queueOf(own, channel.id), channel.secrets);
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        checkUrl(deps, request.url);
        const { total } = await repository(scope).page([], { field: 'id', direction: 'asc' }, { number: 1, size: 1 });
        if (total >= MAX_CHANNELS) throw channelProblem('notification_channels_too_many', `${MAX_CHANNELS}`);
        const nowMs = scope.clock.nowMs();
        const secrets = { signingSecret: request.signing_secret ?? newSecret(), customHeaders: {} };
        const made = {
          id: scope.newId(),
          secrets,
          disabledReason: undefined,
          createdAtMs: nowMs,
          deletedAtMs: undefined,
        };
        const channel = withRequest(made, request, nowMs);
        await repository(scope).insert(channel);
        return answer(channel, scope);
      }),
    list: async (filters, sort, page) => {
      const { channels, total } = await repository(scope).page(filters, sort, page);
      const queues = await outboxRepository(scope).queueStates(channels.map(({ id }) => id));
      return {
        data: channels.map((one) => toChannelBody(one, queues.get(one.id), undefined)),
        meta: pageMeta(page, total),
      };
    },
    get: async (id, mayChange) => {
      const found = await repository(scope).byId(id);
      if (found === undefined) throw channelNotFound(id);
      return toChannelBody(found, await queueOf(scope, id), mayChange ? readableSecrets(found) : undefined);
    },
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const found = await living(deps, scope, id);
        if (found.target.type !== request.type)
          throw channelProblem('notification_channel_type_fixed', found.target.type);
        checkUrl(deps, request.url);
        const { signing_secret: given } = request;
        const known = readableSecrets(found);
        if (known === undefined && given === undefined) throw secretsUnreadable(id);
        const isKept = known !== undefined && (given === undefined || given === known.signingSecret);
        const secrets = { ...(isKept ? known : { signingSecret: given ?? '' }), customHeaders: {} };
        const channel = withRequest({ ...found, secrets, disabledReason: undefined }, request, scope.clock.nowMs());
        await repository(scope).replace(channel);
        if (found.isDisabled && !channel.isDisabled) await outboxRepository(scope).forgiveQueue(id);
        return answer(channel, scope);
      }),
    remove: (id) =>
      scope.transaction(async (scope) => {
        const found = await repository(scope).byId(id);
        if (found === undefined) throw channelNotFound(id);
        if (found.deletedAtMs !== undefined) return;
        const users = await deps.rulesUsing(id, scope);
        if (users.length > 0) throw channelProblem('notification_channel_in_use', users.join(', '));
        const nowMs = scope.clock.nowMs();
        // Nobody needs its secrets any more.
        const secrets = { signingSecret: '', customHeaders: {} };
        await repository(scope).replace({ ...found, secrets, updatedAtMs: nowMs, deletedAtMs: nowMs });
      }),
    rotate: (id, request) =>
      scope.transaction(async (scope) => {
        const found = await living(deps, scope, id);
        const nowMs = scope.clock.nowMs();
        const secrets = rotated(readableSecrets(found), request, nowMs);
        const channel = { ...found, secrets, updatedAtMs: nowMs };
        await repository(scope).replace(channel);
        return answer(channel, scope);
      }),
    test: (id) => sendTest(deps, id),
    opened: async (id, own) => {
      const found = await repository(own).byId(id);
      if (found === undefined || found.deletedAtMs !== undefined) {
        return { isOrdered: false, closed: 'channel_deleted', target: undefined };
      }
      const { isOrdered } = found;
      if (found.isDisabled) return { isOrdered, closed: 'channel_disabled', target: undefined };
      return { isOrdered, closed: undefined, target: targetOf(found.open(), own.clock.nowMs()) };
    },
    openChannels: async (ids, own) => {
      const states = await repository(own).states(ids);
      return new Set(ids.filter((id) => states.get(id)?.isDisabled === false));
    },
    livingChannels: async (ids, own) => new Set((await repository(own).states(ids)).keys()),
    disable: (id, reason, own) => repository(own).disable(id, reason, own.clock.nowMs()),
  };
}

async function queueOf(scope: Scope, id: string) {
  return (await outboxRepository(scope).queueStates([id])).get(id);
}

/** undefined where they cannot be read any more: they are as good as none. */
function readableSecrets(found: { open(): Channel }): ChannelSecrets | undefined {
  try {
    return found.open().secrets;
  } catch (error) {
    if (error instanceof SealedWithoutKey) return undefined;
    throw error;
  }
}

async function living({ box }: ChannelsDeps, scope: Scope, id: string) {
  const found = await channelRepository(scope, box).byId(id);
  if (found === undefined) throw channelNotFound(id);
  if (found.deletedAtMs !== undefined) throw channelDeleted(id);
  return found;
}

function checkUrl({ mayDoWithoutTls }: ChannelsDeps, url: string): void {
  if (new URL(url).protocol === 'http:' && !mayDoWithoutTls) throw channelProblem('notification_channel_without_tls');
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

function withRequest(
  channel: Pick<Channel, 'id' | 'secrets' | 'disabledReason' | 'createdAtMs' | 'deletedAtMs'>,
  request: CreateChannel,
  nowMs: number,
): Channel {
  const { type, name, url, disabled = false, ordered = false, custom_headers: customHeaders = {}, labels } = request;
  const { id, secrets, disabledReason, createdAtMs, deletedAtMs } = channel;
  return {
    id,
    name,
    target: { type, url },
    secrets: { ...secrets, customHeaders },
    isOrdered: ordered,
    isDisabled: disabled,
    disabledReason,
    labels,
    createdAtMs,
    updatedAtMs: nowMs,
    deletedAtMs,
  };
}

function rotated(known: ChannelSecrets | undefined, request: RotateSecret, nowMs: number): ChannelSecrets {
  const untilMs = addDuration(nowMs, durationFrom(request.overlap ?? DEFAULT_OVERLAP));
  if (untilMs - nowMs > MAX_OVERLAP_MS) throw channelProblem('notification_channel_overlap');
  const signingSecret = request.signing_secret ?? newSecret();
  if (known === undefined) return { signingSecret, customHeaders: {} };
  const previousSecret = untilMs > nowMs ? { secret: known.signingSecret, untilMs } : undefined;
  return { ...known, signingSecret, previousSecret };
}

async function sendTest({ scope, box, transports }: ChannelsDeps, id: string): Promise<TestResult> {
  const found = await channelRepository(scope, box).byId(id);
  if (found === undefined) throw channelNotFound(id);
  if (found.deletedAtMs !== undefined) throw channelDeleted(id);
  const atMs = scope.clock.nowMs();
  const messageId = scope.newId();
  const data = { message: 'This message was sent to see whether it arrives.', sent_at: formatInstant(atMs) };
  const payload = payloadText(messageId, { type: 'notification.test', data, subject: undefined }, atMs);
  const channel = readableSecrets(found) === undefined ? undefined : found.open();
  if (channel === undefined) throw secretsUnreadable(id);
  const beganAtMs = performance.now();
  const target = targetOf(channel, atMs);
  const { isSuccess, statusCode, body } = await transports[target.type](target, { id: messageId, payload, atMs });
  const duration_ms = Math.round(performance.now() - beganAtMs);
  return { success: isSuccess, ...(statusCode !== undefined && { status_code: statusCode }), body, duration_ms };
}
