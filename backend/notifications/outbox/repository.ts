import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { eachList, inLists, inPieces } from '../../platform/db/in-lists.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import {
  type AttemptRow,
  type DeliveryRow,
  type EventRow,
  type QueueRow,
  stored,
  toAttempt,
  toDelivery,
  toEvent,
  toQueueState,
} from './rows.ts';
import type { EventFilterField, EventSortField } from './schema.ts';
import type { Attempt, ClaimedDelivery, Delivery, NotificationEvent, QueueState, Settled } from './types.ts';

interface TablesOfOutbox {
  notification_events: EventRow;
  notification_deliveries: DeliveryRow;
  notification_queues: QueueRow;
  notification_attempts: AttemptRow;
}
type Tables = Kysely<TablesOfOutbox>;

/** Events, deliveries, attempts and queues. A handle lives as long as the transaction that it is made for. */
export function outboxRepository(db: DbHandle) {
  const tables = withTables<TablesOfOutbox>(db);
  return { ...events(tables), ...deliveries(tables), ...queues(tables), ...claims(tables), ...expiry(tables) };
}

function events(tables: Tables) {
  return {
    /** False when what it tells was told before. */
    insertEvent: async (row: EventRow): Promise<boolean> => {
      const insert = tables.insertInto('notification_events').values(row);
      const { numInsertedOrUpdatedRows } = await insert
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    },
    eventById: async (id: string): Promise<NotificationEvent | undefined> => {
      const row = await tables.selectFrom('notification_events').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toEvent(row);
    },
    page: async (
      filters: readonly FilterCondition<EventFilterField>[],
      sort: Sort<EventSortField>,
      page: PageRequest,
    ): Promise<{ events: NotificationEvent[]; total: number }> => {
      let found = tables.selectFrom('notification_events');
      for (const filter of filters) found = found.where(eventFilter(filter));
      const { total } = await found.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await found
        .selectAll()
        .orderBy(sort.field, sort.direction)
        .orderBy('id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { events: rows.map(toEvent), total: Number(total) };
    },
  };
}

const COLUMNS: Record<Exclude<EventFilterField, 'channel_id' | 'delivery_status'>, string> = {
  id: 'id',
  type: 'type',
  created_at: 'created_at',
  rule_id: 'rule_id',
  subject: 'subject',
  feature: 'feature_key',
};

/** Channels and states are those of an event's deliveries. */
function eventFilter(filter: FilterCondition<EventFilterField>) {
  const { field } = filter;
  if (field === 'channel_id' || field === 'delivery_status') {
    const own = filterExpression(field === 'channel_id' ? 'channel_id' : 'state', filter);
    return sql<boolean>`id IN (SELECT event_id FROM notification_deliveries WHERE ${own})`;
  }
  return filterExpression(COLUMNS[field], filter, field === 'created_at' ? toStoredInstant : undefined);
}

function deliveries(tables: Tables) {
  return {
    insertDeliveries: async (rows: readonly DeliveryRow[]): Promise<void> => {
      await inPieces(rows, (piece) => tables.insertInto('notification_deliveries').values(piece).execute());
    },
    deliveriesOf: async (eventIds: readonly string[]): Promise<Delivery[]> => {
      const rows = await inLists(eventIds, (list) =>
        tables
          .selectFrom('notification_deliveries')
          .selectAll()
          .where('event_id', 'in', list)
          .orderBy('channel_id')
          .execute(),
      );
      return rows.map(toDelivery);
    },
    /** The newest first. */
    attemptsOf: async (eventIds: readonly string[]): Promise<Attempt[]> => {
      const rows = await inLists(eventIds, (list) =>
        tables
          .selectFrom('notification_attempts')
          .selectAll()
          .where('event_id', 'in', list)
          .orderBy('at', 'desc')
          .orderBy('id', 'desc')
          .execute(),
      );
      return rows.map(toAttempt);
    },
    /** Has those that are over sent once more. */
    resend: async (eventId: string, channelIds: readonly string[], nowMs: number): Promise<void> => {
      const at = toStoredInstant(nowMs);
      await eachList(channelIds, (list) =>
        tables
          .updateTable('notification_deliveries')
          .set({ state: 'resending', reason: '', attempt: 0, due_at: at, lease: null, updated_at: at })
          .where('event_id', '=', eventId)
          .where('channel_id', 'in', list)
          .where('due_at', 'is', null)
          .execute(),
      );
    },
  };
}

function queues(tables: Tables) {
  return {
    /** There is something for these channels now. */
    wakeQueues: async (channelIds: readonly string[], nowMs: number): Promise<void> => {
      const due_at = toStoredInstant(nowMs);
      for (const channel_id of channelIds) {
        await tables
          .insertInto('notification_queues')
          .values({ ...NEW_QUEUE, channel_id, due_at })
          .onConflict((conflict) =>
            conflict
              .column('channel_id')
              .doUpdateSet({ due_at })
              .where((eb) =>
                eb.or([eb('notification_queues.due_at', 'is', null), eb('notification_queues.due_at', '>', due_at)]),
              ),
          )
          .execute();
      }
    },
    /** It begins anew: nothing is held against a channel that somebody has switched on. */
    forgiveQueue: async (channelId: string): Promise<void> => {
      const { due_at: _, ...values } = NEW_QUEUE;
      await tables.updateTable('notification_queues').set(values).where('channel_id', '=', channelId).execute();
    },
    pauseQueue: async (channelId: string, untilMs: number): Promise<void> => {
      const paused_until = toStoredInstant(untilMs);
      await tables
        .updateTable('notification_queues')
        .set({ paused_until })
        .where('channel_id', '=', channelId)
        .execute();
    },
    /** Sets when each queue is due by its messages. */
    reckonQueues: async (): Promise<void> => {
      await tables.updateTable('notification_queues').set(dueAsItsMessages).execute();
    },
    queueStates: async (channelIds: readonly string[]): Promise<Map<string, QueueState>> => {
      const rows = await inLists(channelIds, (list) =>
        tables.selectFrom('notification_queues').selectAll().where('channel_id', 'in', list).execute(),
      );
      return new Map(rows.map((row) => [row.channel_id, toQueueState(row)]));
    },
    /** Channels with something to send now, the longest due first. @param except those that have enough to do */
    dueQueues: async (nowMs: number, except: readonly string[], limit: number) => {
      const at = toStoredInstant(nowMs);
      const due = tables.selectFrom('notification_queues').selectAll().where('due_at', '<=', at);
      const open = due.where((eb) => eb.or([eb('paused_until', 'is', null), eb('paused_until', '<=', at)]));
      const rows = await open
        .orderBy('due_at')
        .limit(limit + except.length)
        .execute();
      const free = rows.filter(({ channel_id }) => !except.includes(channel_id)).slice(0, limit);
      return free.map((row) => ({ channelId: row.channel_id, ...toQueueState(row) }));
    },
  };
}

const NEW_QUEUE = { due_at: null, paused_until: null, failures: 0, failing_since: null };

/** Sending: nobody has a message while somebody else has it, and what nobody has any more is found again. */
function claims(tables: Tables) {
  return {
    /**
     * Takes messages of a channel until the lease ends. Two who ask at the same time get different ones: the second sees
     * an instant that lies ahead.
     */
    claim: async (
      channelId: string,
      claim: { nowMs: number; untilMs: number; lease: string; limit: number; isOrdered: boolean },
    ): Promise<ClaimedDelivery[]> => {
      const at = toStoredInstant(claim.nowMs);
      const own = tables.selectFrom('notification_deliveries').select('event_id').where('channel_id', '=', channelId);
      // In order: the first that is not over, and only if it is due.
      const next = claim.isOrdered
        ? own.where('due_at', 'is not', null).orderBy('event_id').limit(1)
        : own.where('due_at', '<=', at).orderBy('due_at').limit(claim.limit);
      const ids = (await next.execute()).map(({ event_id }) => event_id);
      const taken = await inLists(ids, (list) =>
        tables
          .updateTable('notification_deliveries')
          .set({ due_at: toStoredInstant(claim.untilMs), lease: claim.lease })
          .where('channel_id', '=', channelId)
          .where('event_id', 'in', list)
          .where('due_at', '<=', at)
          .returningAll()
          .execute(),
      );
      await followQueue(tables, channelId, {});
      const payloads = await inLists(
        taken.map(({ event_id }) => event_id),
        (list) => tables.selectFrom('notification_events').select(['id', 'payload']).where('id', 'in', list).execute(),
      );
      const byId = new Map(payloads.map(({ id, payload }) => [id, payload]));
      return taken.map((row) => ({ ...toDelivery(row), lease: claim.lease, payload: byId.get(row.event_id) ?? '' }));
    },
    /** Nobody has any message any more: for who has the database alone, when it begins. */
    releaseClaims: async (nowMs: number): Promise<void> => {
      const due_at = toStoredInstant(nowMs);
      const left = tables.updateTable('notification_deliveries').set({ due_at, lease: null });
      await left.where('lease', 'is not', null).where('due_at', 'is not', null).execute();
      await tables.updateTable('notification_queues').set(dueAsItsMessages).execute();
    },
    /** What became of a claimed message. False when the lease was lost: somebody else has it, and says what becomes of it. */
    settle: async (
      { eventId, channelId, lease }: Pick<ClaimedDelivery, 'eventId' | 'channelId' | 'lease'>,
      { state, reason, dueAtMs, attempt, queue }: Settled,
      { id, nowMs }: { id: string; nowMs: number },
    ): Promise<boolean> => {
      const updated_at = toStoredInstant(nowMs);
      const { numUpdatedRows } = await tables
        .updateTable('notification_deliveries')
        .set((eb) => ({
          state,
          reason,
          due_at: stored(dueAtMs),
          lease: null,
          updated_at,
          ...(attempt !== undefined && { attempt: eb('attempt', '+', 1) }),
        }))
        .where('event_id', '=', eventId)
        .where('channel_id', '=', channelId)
        .where('lease', '=', lease)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) return false;
      if (attempt !== undefined) {
        await tables
          .insertInto('notification_attempts')
          .values({
            id,
            event_id: eventId,
            channel_id: channelId,
            state: attempt.isSuccess ? 'success' : 'failed',
            status_code: attempt.statusCode ?? null,
            body: attempt.body,
            duration_ms: attempt.durationMs,
            at: toStoredInstant(attempt.atMs),
          })
          .execute();
      }
      await followQueue(tables, channelId, {
        failures: queue.failures,
        failing_since: stored(queue.failingSinceMs),
        paused_until: stored(queue.pausedUntilMs),
        ...(attempt !== undefined && { [attempt.isSuccess ? 'last_success_at' : 'last_failure_at']: updated_at }),
      });
      return true;
    },
  };
}

/** The queue is due when the earliest of its messages is. */
async function followQueue(tables: Tables, channelId: string, also: Partial<QueueRow>): Promise<void> {
  const queue = tables.updateTable('notification_queues').where('channel_id', '=', channelId);
  await queue.set((eb) => ({ ...dueAsItsMessages(eb), ...also })).execute();
}

function dueAsItsMessages(eb: ExpressionBuilder<TablesOfOutbox, 'notification_queues'>) {
  const due_at = eb
    .selectFrom('notification_deliveries')
    .whereRef('notification_deliveries.channel_id', '=', 'notification_queues.channel_id')
    .where('notification_deliveries.due_at', 'is not', null)
    .select((inner) => inner.fn.min('notification_deliveries.due_at').as('at'));
  return { due_at };
}

function expiry(tables: Tables) {
  return {
    /** Attempts that are older, some at a time. @returns how many */
    removeAttempts: async (beforeMs: number, limit: number): Promise<number> => {
      const before = toStoredInstant(beforeMs);
      const old = tables.selectFrom('notification_attempts').select('id').where('at', '<', before).limit(limit);
      const { numDeletedRows } = await tables
        .deleteFrom('notification_attempts')
        .where('id', 'in', old)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
    /** Events that are older and all of whose messages are over, some at a time. @returns how many */
    removeEvents: async (beforeMs: number, limit: number): Promise<number> => {
      const rows = await tables
        .selectFrom('notification_events')
        .select('id')
        .where('created_at', '<', toStoredInstant(beforeMs))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('notification_deliveries')
                .select('event_id')
                .whereRef('notification_deliveries.event_id', '=', 'notification_events.id')
                .where('due_at', 'is not', null),
            ),
          ),
        )
        .orderBy('created_at')
        .limit(limit)
        .execute();
      const ids = rows.map(({ id }) => id);
      await eachList(ids, async (list) => {
        await tables.deleteFrom('notification_attempts').where('event_id', 'in', list).execute();
        await tables.deleteFrom('notification_deliveries').where('event_id', 'in', list).execute();
        await tables.deleteFrom('notification_events').where('id', 'in', list).execute();
      });
      return ids.length;
    },
  };
}
