import { catalogLock } from '../../platform/db/locks.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Sort } from '../../platform/http/sorting.ts';
import type { Scope } from '../../platform/scope.ts';
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

export function createVersionLifecycle<Content>(scope: Scope, kind: VersionKind<Content>): VersionLifecycle<Content> {
  const judge = (version: Version<Content>, scope: Scope) => judgeVersion(kind, version, scope, scope.clock.nowMs());
  const lockOf = (key: string) => catalogLock(kind.table, key);
  /** Changes one version: its key stays. What others may rest on (removals, copies with their add-ons) keeps all others out. */
  const ofVersion = async <T>(id: string, work: (scope: Scope) => Promise<T>): Promise<T> =>
    scope.transaction(work, [lockOf((await existing(kind, scope, id)).key)]);
  return {
    create: (request) =>
      scope.transaction(
        async (scope) => {
          await refuseSecondDraft(kind, scope, request.key, 'bad-request');
          const version = await insertDraft(kind, scope, request);
          return refuseCritical(await judge(version, scope));
        },
        [lockOf(request.key)],
      ),
    get: async (id) => judge(await existing(kind, scope, id), scope),
    list: async (filters, sort, page) => {
      const atMs = scope.clock.nowMs();
      const { versions, total } = await versionRepository<Content>(scope, kind.table).page(filters, sort, page, atMs);
      const pending = versions.filter((version) => isPending(version, atMs));
      const issues = pending.length === 0 ? new Map() : await kind.findIssues(pending, scope);
      return { versions: versions.map((version) => ({ version, issues: issues.get(version.id) ?? [] })), total };
    },
    update: (id, revise) =>
      ofVersion(id, async (scope) => {
        const version = await existing(kind, scope, id);
        if (version.deletedAt !== undefined) throw versionGone(kind.noun, id, version.deletedAt);
        const versions = versionRepository<Content>(scope, kind.table);
        const isReplaced = await versions.replace(id, revise(version), scope.clock.nowMs());
        if (!isReplaced) throw wrongStatus(kind, version, scope.clock.nowMs(), 'change', 'updated');
        return refuseCritical(await judge(await existing(kind, scope, id), scope));
      }),
    remove: (id) => scope.transaction((scope) => remove(kind, scope, id, scope.clock.nowMs())),
    publish: (id) =>
      ofVersion(id, async (scope) => {
        await publish(kind, scope, id, scope.clock.nowMs());
        return { version: await existing(kind, scope, id), issues: [] };
      }),
    archive: (id) =>
      scope.transaction(async (scope) => {
        await archive(kind, scope, id, scope.clock.nowMs());
        return { version: await existing(kind, scope, id), issues: [] };
      }),
    next: (id) =>
      scope.transaction(async (scope) => {
        const source = await living(kind, scope, id, 'copied');
        await refuseSecondDraft(kind, scope, source.key, 'resource-conflict');
        const version = await insertDraft(kind, scope, source);
        await kind.afterCopy(source.id, version.id, scope);
        return judge(version, scope);
      }),
  };
}
