import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { SecretBox } from '../../platform/secrets.ts';
import type { ChannelFilterField, ChannelSortField } from './schema.ts';
import type { Channel, ChannelSecrets, ChannelTarget, ListedChannel } from './types.ts';

interface ChannelRow {
  id: string;
  type: string;
  name: string;
  target: string;
  secrets: string;
  is_ordered: number;
  disabled: number;
  disabled_reason: string | null;
  labels: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

const INSTANTS: ReadonlySet<ChannelFilterField> = new Set(['created_at', 'updated_at']);

/** Channels, with their secrets sealed. A handle lives as long as its transaction. */
export function channelRepository(db: DbHandle, box: SecretBox) {
  const tables = withTables<{ notification_channels: ChannelRow }>(db);
  const living = tables.selectFrom('notification_channels').where('deleted_at', 'is', null);
  return {
    insert: async (channel: Channel): Promise<void> => {
      await tables.insertInto('notification_channels').values(toRow(channel, box)).execute();
    },
    replace: async (channel: Channel): Promise<void> => {
      const { id, ...columns } = toRow(channel, box);
      await tables.updateTable('notification_channels').set(columns).where('id', '=', id).execute();
    },
    /** Deleted ones too. @returns with a way to its secrets, which throws SealedWithoutKey */
    byId: async (id: string): Promise<(ListedChannel & { open(): Channel }) | undefined> => {
      const row = await tables.selectFrom('notification_channels').selectAll().where('id', '=', id).executeTakeFirst();
      return row && { ...toListed(row), open: () => toChannel(row, box) };
    },
    /** Which there are, and whether they are switched off; without their secrets. */
    states: async (ids: readonly string[]): Promise<Map<string, { isDisabled: boolean }>> => {
      const rows = await inLists(ids, (list) => living.select(['id', 'disabled']).where('id', 'in', list).execute());
      return new Map(rows.map(({ id, disabled }) => [id, { isDisabled: disabled === 1 }]));
    },
    /** Switches it off without a look at its secrets. */
    disable: async (id: string, reason: string, atMs: number): Promise<boolean> => {
      const { numUpdatedRows } = await tables
        .updateTable('notification_channels')
        .set({ disabled: 1, disabled_reason: reason, updated_at: toStoredInstant(atMs) })
        .where('id', '=', id)
        .where('disabled', '=', 0)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },
    /** Without their secrets. */
    page: async (
      filters: readonly FilterCondition<ChannelFilterField>[],
      sort: Sort<ChannelSortField>,
      page: PageRequest,
    ): Promise<{ channels: ListedChannel[]; total: number }> => {
      let found = living;
      for (const filter of filters) {
        const toColumn =
          filter.field === 'disabled' ? toFlag : INSTANTS.has(filter.field) ? toStoredInstant : undefined;
        found = found.where(filterExpression(filter.field, filter, toColumn));
      }
      const { total } = await found.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await found
        .selectAll()
        .orderBy(sort.field, sort.direction)
        .orderBy('id', sort.direction)
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { channels: rows.map(toListed), total: Number(total) };
    },
  };
}

const toFlag = (text: string) => (text === 'true' ? 1 : 0);
const placeOf = (id: string) => `notification channel ${id}`;

function toRow(channel: Channel, box: SecretBox): ChannelRow {
  const { id, name, target, secrets, isOrdered, isDisabled, disabledReason, labels, deletedAtMs } = channel;
  return {
    id,
    type: target.type,
    name,
    target: JSON.stringify(target),
    secrets: box.seal(placeOf(id), JSON.stringify(secrets)),
    is_ordered: isOrdered ? 1 : 0,
    disabled: isDisabled ? 1 : 0,
    disabled_reason: disabledReason ?? null,
    labels: labels === undefined ? null : JSON.stringify(labels),
    created_at: toStoredInstant(channel.createdAtMs),
    updated_at: toStoredInstant(channel.updatedAtMs),
    deleted_at: deletedAtMs === undefined ? null : toStoredInstant(deletedAtMs),
  };
}

function toChannel(row: ChannelRow, box: SecretBox): Channel {
  return { ...toListed(row), secrets: JSON.parse(box.open(placeOf(row.id), row.secrets)) as ChannelSecrets };
}

function toListed(row: ChannelRow): ListedChannel {
  return {
    id: row.id,
    name: row.name,
    target: JSON.parse(row.target) as ChannelTarget,
    isOrdered: row.is_ordered === 1,
    isDisabled: row.disabled === 1,
    disabledReason: row.disabled_reason ?? undefined,
    labels: row.labels === null ? undefined : (JSON.parse(row.labels) as Record<string, string>),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
    deletedAtMs: row.deleted_at === null ? undefined : Date.parse(row.deleted_at),
  };
}
