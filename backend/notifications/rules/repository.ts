import type { Kysely } from 'kysely';
import { filterExpression } from '../../platform/db/filter-expression.ts';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists, inPieces } from '../../platform/db/in-lists.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { RuleType } from './rule-types/index.ts';
import type { RuleFilterField, RuleSortField } from './schema.ts';
import type { Rule } from './types.ts';

interface RuleRow {
  id: string;
  type: string;
  name: string;
  settings: string;
  disabled: number;
  labels: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

interface Tables {
  notification_rules: RuleRow;
  notification_rule_channels: { rule_id: string; position: number; channel_id: string };
  notification_rule_features: { rule_id: string; feature_id: string };
}

const INSTANTS: ReadonlySet<RuleFilterField> = new Set(['created_at', 'updated_at']);

/** Rules and their channels. A handle lives as long as its transaction. */
export function ruleRepository(db: DbHandle) {
  const tables = withTables<Tables>(db);
  const living = tables.selectFrom('notification_rules').where('deleted_at', 'is', null);
  return {
    insert: async (rule: Rule): Promise<void> => {
      await tables.insertInto('notification_rules').values(toRow(rule)).execute();
      await setParts(tables, rule);
    },
    replace: async (rule: Rule): Promise<void> => {
      const { id, ...columns } = toRow(rule);
      await tables.updateTable('notification_rules').set(columns).where('id', '=', id).execute();
      await setParts(tables, rule);
    },
    /** Deleted ones too. */
    byId: async (id: string): Promise<Rule | undefined> => {
      const rows = await tables.selectFrom('notification_rules').selectAll().where('id', '=', id).execute();
      return (await withChannels(tables, rows))[0];
    },
    countOfType: async (type: RuleType): Promise<number> => {
      const counted = living.where('type', '=', type).select((eb) => eb.fn.countAll<number>().as('count'));
      return Number((await counted.executeTakeFirstOrThrow()).count);
    },
    /** Those that are in force, in the order of their ids. */
    ofType: async (type: RuleType): Promise<Rule[]> => {
      const inForce = living.where('disabled', '=', 0).where('type', '=', type);
      return withChannels(tables, await inForce.selectAll().orderBy('id').execute());
    },
    /** Those in force that are for one of the features, or for all. */
    forFeatures: async (type: RuleType, featureIds: readonly string[]): Promise<Rule[]> => {
      const inForce = living.where('disabled', '=', 0).where('type', '=', type).selectAll();
      const own = await inLists(featureIds, (list) => {
        const concerned = tables
          .selectFrom('notification_rule_features')
          .select('rule_id')
          .where('feature_id', 'in', list);
        return inForce.where('id', 'in', concerned).execute();
      });
      const ofAll = await inForce
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('notification_rule_features')
                .select('rule_id')
                .whereRef('notification_rule_features.rule_id', '=', 'notification_rules.id'),
            ),
          ),
        )
        .execute();
      const byId = new Map([...own, ...ofAll].map((row) => [row.id, row]));
      return withChannels(tables, [...byId.values()]);
    },
    isAnyInForce: async (types: readonly RuleType[]): Promise<boolean> => {
      const found = await inLists(types, (list) =>
        living.where('disabled', '=', 0).where('type', 'in', list).select('id').limit(1).execute(),
      );
      return found.length > 0;
    },
    /** Names of the living ones that go to the channel. */
    namesUsing: async (channelId: string, limit: number): Promise<string[]> => {
      const rows = await tables
        .selectFrom('notification_rule_channels')
        .innerJoin('notification_rules', 'notification_rules.id', 'notification_rule_channels.rule_id')
        .where('notification_rule_channels.channel_id', '=', channelId)
        .where('notification_rules.deleted_at', 'is', null)
        .select('notification_rules.name')
        .orderBy('notification_rules.id')
        .limit(limit)
        .execute();
      return rows.map(({ name }) => name);
    },
    page: async (
      filters: readonly FilterCondition<RuleFilterField>[],
      sort: Sort<RuleSortField>,
      page: PageRequest,
    ): Promise<{ rules: Rule[]; total: number }> => {
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
      return { rules: await withChannels(tables, rows), total: Number(total) };
    },
  };
}

/** What a rule has in tables of its own, so that it is found by it. */
async function setParts(tables: Kysely<Tables>, { id, channelIds, settings }: Rule): Promise<void> {
  await tables.deleteFrom('notification_rule_channels').where('rule_id', '=', id).execute();
  const rows = channelIds.map((channel_id, position) => ({ rule_id: id, position, channel_id }));
  await inPieces(rows, (piece) => tables.insertInto('notification_rule_channels').values(piece).execute());
  await tables.deleteFrom('notification_rule_features').where('rule_id', '=', id).execute();
  const features = (settings['features'] ?? []) as readonly { id: string }[];
  await inPieces(
    features.map((feature) => ({ rule_id: id, feature_id: feature.id })),
    (piece) => tables.insertInto('notification_rule_features').values(piece).execute(),
  );
}

async function withChannels(tables: Kysely<Tables>, rows: readonly RuleRow[]): Promise<Rule[]> {
  const channels = await inLists(
    rows.map(({ id }) => id),
    (list) =>
      tables
        .selectFrom('notification_rule_channels')
        .selectAll()
        .where('rule_id', 'in', list)
        .orderBy('rule_id')
        .orderBy('position')
        .execute(),
  );
  const byRule = Map.groupBy(channels, ({ rule_id }) => rule_id);
  return rows.map((row) => toRule(row, byRule.get(row.id) ?? []));
}

const toFlag = (text: string) => (text === 'true' ? 1 : 0);

function toRow({ id, type, name, settings, isDisabled, labels, ...rest }: Rule): RuleRow {
  return {
    id,
    type,
    name,
    settings: JSON.stringify(settings),
    disabled: isDisabled ? 1 : 0,
    labels: labels === undefined ? null : JSON.stringify(labels),
    created_at: toStoredInstant(rest.createdAtMs),
    updated_at: toStoredInstant(rest.updatedAtMs),
    deleted_at: rest.deletedAtMs === undefined ? null : toStoredInstant(rest.deletedAtMs),
  };
}

function toRule(row: RuleRow, channels: readonly { channel_id: string }[]): Rule {
  return {
    id: row.id,
    type: row.type as RuleType,
    name: row.name,
    isDisabled: row.disabled === 1,
    channelIds: channels.map(({ channel_id }) => channel_id),
    settings: JSON.parse(row.settings) as Record<string, unknown>,
    labels: row.labels === null ? undefined : (JSON.parse(row.labels) as Record<string, string>),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
    deletedAtMs: row.deleted_at === null ? undefined : Date.parse(row.deleted_at),
  };
}
