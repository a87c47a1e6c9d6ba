import type { DbHandle } from '../../platform/db/handle.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { MeterSpec } from '../usage-store/index.ts';
import { BUILT_IN_METERS } from './built-in-meters.ts';
import { checkDefinition, toMeterSpec } from './definition.ts';
import { meterGone, meterKeyTaken, meterNotFound } from './errors.ts';
import { meterRepository } from './repository.ts';
import type { BuiltInMeter, CreateMeter, Meter, MeterFilterField, MeterSortField, UpdateMeter } from './schema.ts';

export const METER_SORT: SortRules<MeterSortField> = {
  fields: ['created_at', 'key', 'name', 'aggregation', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};

/**
 * What keeps a meter as it is, told by modules above: features and entitlements that use it. Asked inside the transaction,
 * with its scope.
 */
export interface MeterUsers {
  /** Why the meter may not be deleted; undefined when it may. */
  blocksDeletion(meter: Meter, scope: Scope): Promise<DomainProblem | undefined>;
  /** Why these dimensions may not be dropped; undefined when they may. */
  blocksDroppingDimensions(
    meter: Meter,
    dimensions: readonly string[],
    scope: Scope,
  ): Promise<DomainProblem | undefined>;
}

const NO_USERS: MeterUsers = {
  blocksDeletion: async () => undefined,
  blocksDroppingDimensions: async () => undefined,
};

export interface MetersService {
  create(request: CreateMeter): Promise<Meter>;
  /** Deleted meters are found too; they carry `deleted_at`. */
  get(id: string): Promise<Meter>;
  list(
    filters: readonly FilterCondition<MeterFilterField>[],
    sort: Sort<MeterSortField>,
    page: PageRequest,
  ): Promise<{ data: Meter[]; meta: ReturnType<typeof pageMeta> }>;
  update(id: string, request: UpdateMeter): Promise<Meter>;
  /** Deleting a deleted meter does nothing. */
  remove(id: string): Promise<void>;
  livingByEventTypes(types: readonly string[]): Promise<Meter[]>;
  living(): Promise<Meter[]>;
  listBuiltIn(): Promise<BuiltInMeter[]>;
  /** Enabling an enabled one answers the meter that is there. */
  enableBuiltIn(key: string): Promise<Meter>;
  disableBuiltIn(key: string): Promise<void>;
}

/** What decides the figures of all living meters: what the usage store keeps roll-ups for. */
export async function livingMeterSpecs(db: DbHandle): Promise<MeterSpec[]> {
  return (await meterRepository(db).living()).map(toMeterSpec);
}

/**
 * Meters by id, deleted ones included; unknown ids are absent.
 * @param scope the transaction's inside one
 */
export async function findMeters(scope: Scope, ids: readonly string[]): Promise<ReadonlyMap<string, Meter>> {
  const found = await meterRepository(scope).byIds([...new Set(ids)]);
  return new Map(found.map((meter) => [meter.id, meter]));
}

/** Meter definitions and their rules. */
export function createMetersService(deps: {
  scope: Scope;
  users?: MeterUsers;
  /** Told after each change of a definition; the change is stored by then, and must not fail any more. */
  onChange?: () => Promise<void>;
}): MetersService {
  const { scope, users = NO_USERS, onChange = async () => {} } = deps;
  const now = () => formatInstant(scope.clock.nowMs());

  const create = async (request: CreateMeter): Promise<Meter> => {
    checkDefinition(request);
    const created = await scope.transaction(async (scope) => {
      const meters = meterRepository(scope);
      if ((await meters.livingByKey(request.key)) !== undefined) throw meterKeyTaken(request.key);
      const at = now();
      const meter: Meter = { id: scope.newId(), ...withoutUndefined(request), created_at: at, updated_at: at };
      await meters.insert(meter);
      return meter;
    });
    await onChange();
    return created;
  };

  const get = async (id: string): Promise<Meter> => {
    const meter = await meterRepository(scope).byId(id);
    if (meter === undefined) throw meterNotFound(id);
    return meter;
  };

  const remove = async (id: string): Promise<void> => {
    await scope.transaction(async (scope) => {
      const meters = meterRepository(scope);
      const meter = await meters.byId(id);
      if (meter === undefined) throw meterNotFound(id);
      if (meter.deleted_at !== undefined) return;
      const blocked = await users.blocksDeletion(meter, scope);
      if (blocked !== undefined) throw blocked;
      await meters.update({ ...meter, deleted_at: now(), updated_at: now() });
    });
    await onChange();
  };

  const builtIn = (key: string) => {
    const template = BUILT_IN_METERS.find((candidate) => candidate.key === key);
    if (template === undefined) throw meterNotFound(key);
    return template;
  };

  return {
    create,
    get,
    remove,
    list: async (filters, sort, page) => {
      const { meters, total } = await meterRepository(scope).page(filters, sort, page);
      return { data: meters, meta: pageMeta(page, total) };
    },
    update: async (id, request) => {
      const updated = await scope.transaction(async (scope) => {
        const meters = meterRepository(scope);
        const current = await meters.byId(id);
        if (current === undefined) throw meterNotFound(id);
        if (current.deleted_at !== undefined) throw meterGone(id);
        const changed = applyUpdate(current, request, now());
        checkDefinition(changed);
        const dropped = Object.keys(current.dimensions ?? {}).filter(
          (name) => !Object.hasOwn(changed.dimensions ?? {}, name),
        );
        const blocked = dropped.length > 0 ? await users.blocksDroppingDimensions(current, dropped, scope) : undefined;
        if (blocked !== undefined) throw blocked;
        await meters.update(changed);
        return changed;
      });
      await onChange();
      return updated;
    },
    living: () => meterRepository(scope).living(),
    livingByEventTypes: (types) => meterRepository(scope).livingByEventTypes(types),
    listBuiltIn: () =>
      // As many as are written down in the code.
      Promise.all(
        BUILT_IN_METERS.map(async (template) => {
          const meter = await meterRepository(scope).livingByKey(template.key);
          return { ...template, enabled: meter !== undefined, ...(meter && { meter_id: meter.id }) };
        }),
      ),
    enableBuiltIn: async (key) => {
      const template = builtIn(key);
      return (await meterRepository(scope).livingByKey(key)) ?? create(template);
    },
    disableBuiltIn: async (key) => {
      const meter = await meterRepository(scope).livingByKey(builtIn(key).key);
      if (meter !== undefined) await remove(meter.id);
    },
  };
}

/**
 * A full replacement of what may change, with the contract's reading of what is omitted: the description stays, labels
 * and dimensions go. The name stays too where the request has none.
 */
function applyUpdate(current: Meter, request: UpdateMeter, at: string): Meter {
  const { labels: _labels, dimensions: _dimensions, ...kept } = current;
  return { ...kept, ...withoutUndefined(request), updated_at: at };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
