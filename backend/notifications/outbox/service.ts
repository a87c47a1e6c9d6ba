import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { toEventBody } from './bodies.ts';
import { eventNotFound, eventProblem } from './errors.ts';
import { outboxRepository } from './repository.ts';
import type { EventBody, EventFilterField, EventPage, EventSortField, Resend } from './schema.ts';
import type { NewEvent } from './types.ts';

export const EVENT_SORT: SortRules<EventSortField> = {
  fields: ['created_at', 'id', 'type'],
  default: 'created_at',
  defaultDirection: 'desc',
};

/** Where payloads say that they come from. */
const SOURCE = 'kong-metering-and-billing';

export interface Outbox {
  /**
   * Writes down what has happened, and who is told: in the transaction in which it happens, or not at all.
   * @param scope the transaction's @returns its id; undefined when the same was told before
   */
  record(scope: Scope, event: NewEvent): Promise<string | undefined>;
  list(
    filters: readonly FilterCondition<EventFilterField>[],
    sort: Sort<EventSortField>,
    page: PageRequest,
  ): Promise<EventPage>;
  /** @throws RequestProblem 404 */
  get(id: string): Promise<EventBody>;
  /**
   * Has the very same text sent once more; what is on its way is left alone. Without channels: to all of the event's that
   * may be told. @throws RequestProblem 404 @throws DomainProblem 400 for other channels
   */
  resend(id: string, request: Resend): Promise<void>;
}

export interface OutboxDeps {
  /** Which of the channels are neither disabled nor deleted. */
  openChannels(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
}

/** @param root goes by the real time: a sandbox customer's clock moves no message */
export function createOutbox(root: Scope, { openChannels }: OutboxDeps): Outbox {
  const { clock } = root;
  return {
    record: (scope, event) => record(scope, event, clock.nowMs()),
    list: async (filters, sort, page) => {
      const { events, total } = await outboxRepository(root).page(filters, sort, page);
      const ids = events.map(({ id }) => id);
      const deliveries = Map.groupBy(await outboxRepository(root).deliveriesOf(ids), ({ eventId }) => eventId);
      const attempts = Map.groupBy(await outboxRepository(root).attemptsOf(ids), ({ eventId }) => eventId);
      const data = events.map((event) =>
        toEventBody(event, deliveries.get(event.id) ?? [], attempts.get(event.id) ?? []),
      );
      return { data, meta: pageMeta(page, total) };
    },
    get: async (id) => {
      const repository = outboxRepository(root);
      const event = await repository.eventById(id);
      if (event === undefined) throw eventNotFound(id);
      return toEventBody(event, await repository.deliveriesOf([id]), await repository.attemptsOf([id]));
    },
    resend: (id, request) =>
      root.transaction(async (scope) => {
        const repository = outboxRepository(scope);
        if ((await repository.eventById(id)) === undefined) throw eventNotFound(id);
        const own = (await repository.deliveriesOf([id])).map(({ channelId }) => channelId);
        const open = await openChannels(own, scope);
        const asked = request.channels?.map((channel) => channel.id) ?? [];
        for (const channelId of asked) {
          if (!own.includes(channelId)) throw eventProblem('notification_channel_not_of_event', channelId);
          if (!open.has(channelId)) throw eventProblem('notification_channel_disabled', channelId);
        }
        const channelIds = asked.length > 0 ? asked : own.filter((channelId) => open.has(channelId));
        await repository.resend(id, channelIds, clock.nowMs());
        await repository.wakeQueues(channelIds, clock.nowMs());
      }),
  };
}

async function record(scope: Scope, event: NewEvent, nowMs: number): Promise<string | undefined> {
  const repository = outboxRepository(scope);
  const id = scope.newId();
  const at = toStoredInstant(nowMs);
  const { type, rule, subject, featureKey, dedupeKey, isTest = false } = event;
  const isNew = await repository.insertEvent({
    id,
    type,
    rule_id: rule.id,
    rule_name: rule.name,
    payload: payloadText(id, event, nowMs),
    subject: subject ?? null,
    feature_key: featureKey ?? null,
    dedupe_key: dedupeKey ?? null,
    is_test: isTest ? 1 : 0,
    created_at: at,
  });
  if (!isNew) return undefined;
  const channelIds = [...new Set(event.channelIds)];
  const delivery = { event_id: id, state: 'pending', reason: '', attempt: 0, due_at: at, lease: null, updated_at: at };
  await repository.insertDeliveries(channelIds.map((channel_id) => ({ ...delivery, channel_id })));
  await repository.wakeQueues(channelIds, nowMs);
  return id;
}

/** A CloudEvent in JSON, with `timestamp` beside `time`: so receivers made for OpenMeter find it, too. */
export function payloadText(
  id: string,
  { type, data, subject }: Pick<NewEvent, 'type' | 'data' | 'subject'>,
  atMs: number,
): string {
  const time = formatInstant(atMs);
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    ...(subject !== undefined && { subject }),
    time,
    timestamp: time,
    datacontenttype: 'application/json',
    data,
  });
}
