import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import type { NewId } from '../../platform/ids.ts';
import { versionGone } from './errors.ts';
import { versionRepository } from './repository.ts';
import {
  archive,
  existing,
  insertDraft,
  isPending,
  type JudgedVersion,
  judgeVersion,
  living,
  publish,
  refuseCritical,
  refuseSecondDraft,
  remove,
  wrongStatus,
} from './transitions.ts';
import type {
  NewVersion,
  Version,
  VersionChange,
  VersionFilterField,
  VersionKind,
  VersionSortField,
} from './version.ts';

/** The life of versions: draft, published, archived. Each change is one transaction. */
export interface VersionLifecycle<Content> {
  /**
   * A new draft: version 1 of a new key, the next version of a known one.
   * @throws DomainProblem 400 for critical issues and when the key has a draft
   */
  create(request: NewVersion<Content>): Promise<JudgedVersion<Content>>;
  /** Deleted versions are found too. @throws RequestProblem 404 */
  get(id: string): Promise<JudgedVersion<Content>>;
  /** Living versions. */
  list(
    filters: readonly FilterCondition<VersionFilterField>[],
    sort: Sort<VersionSortField>,
    page: PageRequest,
  ): Promise<{ versions: JudgedVersion<Content>[]; total: number }>;
  /**
   * Only what is not in force yet.
   * @param revise gives what the version shall be
   * @throws RequestProblem 404, 410 @throws DomainProblem 400
   */
  update(id: string, revise: (version: Version<Content>) => VersionChange<Content>): Promise<JudgedVersion<Content>>;
  /** Any version but an active one; twice does nothing. @throws RequestProblem 404 @throws DomainProblem 400 */
  remove(id: string): Promise<void>;
  /** From now on this version is in force and the one before is archived. @throws RequestProblem 404 @throws DomainProblem 400 */
  publish(id: string): Promise<JudgedVersion<Content>>;
  /** From now on no version is in force. @throws RequestProblem 404 @throws DomainProblem 400 */
  archive(id: string): Promise<JudgedVersion<Content>>;
  /** A new draft with the content of this version. @throws RequestProblem 404 @throws DomainProblem 409 when the key has a draft */
  next(id: string): Promise<JudgedVersion<Content>>;
}

interface Deps {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
}

export function createVersionLifecycle<Content>(deps: Deps, kind: VersionKind<Content>): VersionLifecycle<Content> {
  const { db, clock } = deps;
  const judge = (version: Version<Content>, handle: ControlDb) => judgeVersion(kind, version, handle, clock.nowMs());
  return {
    create: (request) =>
      db.transaction(async (trx) => {
        await refuseSecondDraft(kind, trx, request.key, 'bad-request');
        const version = await insertDraft(deps, kind, trx, request);
        return refuseCritical(await judge(version, trx));
      }),
    get: async (id) => judge(await existing(kind, db, id), db),
    list: async (filters, sort, page) => {
      const atMs = clock.nowMs();
      const { versions, total } = await versionRepository<Content>(db, kind.table).page(filters, sort, page, atMs);
      const pending = versions.filter((version) => isPending(version, atMs));
      const issues = pending.length === 0 ? new Map() : await kind.findIssues(pending, db);
      return { versions: versions.map((version) => ({ version, issues: issues.get(version.id) ?? [] })), total };
    },
    update: (id, revise) =>
      db.transaction(async (trx) => {
        const version = await existing(kind, trx, id);
        if (version.deletedAt !== undefined) throw versionGone(kind.noun, id, version.deletedAt);
        const versions = versionRepository<Content>(trx, kind.table);
        const isReplaced = await versions.replace(id, revise(version), clock.nowMs());
        if (!isReplaced) throw wrongStatus(kind, version, clock.nowMs(), 'change', 'updated');
        return refuseCritical(await judge(await existing(kind, trx, id), trx));
      }),
    remove: (id) => db.transaction((trx) => remove(kind, trx, id, clock.nowMs())),
    publish: (id) =>
      db.transaction(async (trx) => {
        await publish(kind, trx, id, clock.nowMs());
        return { version: await existing(kind, trx, id), issues: [] };
      }),
    archive: (id) =>
      db.transaction(async (trx) => {
        await archive(kind, trx, id, clock.nowMs());
        return { version: await existing(kind, trx, id), issues: [] };
      }),
    next: (id) =>
      db.transaction(async (trx) => {
        const source = await living(kind, trx, id, 'copied');
        await refuseSecondDraft(kind, trx, source.key, 'resource-conflict');
        const version = await insertDraft(deps, kind, trx, source);
        await kind.afterCopy(source.id, version.id, trx);
        return judge(version, trx);
      }),
  };
}
