import { type DomainProblem, notFound } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { issuesProblem } from './errors.ts';
import { type IssueCode, issue } from './issue-codes.ts';
import { versionRepository } from './repository.ts';
import { msOf, statusAt } from './status.ts';
import type { CatalogIssue } from './types.ts';
import type { NewVersion, Version, VersionKind } from './version.ts';

/** A version and what keeps it from being published: empty once it is. */
export interface JudgedVersion<Content> {
  version: Version<Content>;
  issues: readonly CatalogIssue[];
}

/** Whether the version can still be published: a draft, or one whose time has not come. */
export function isPending(version: Version<unknown>, atMs: number): boolean {
  const status = statusAt(version, atMs);
  return version.deletedAt === undefined && (status === 'draft' || status === 'scheduled');
}

export async function judgeVersion<Content>(
  kind: VersionKind<Content>,
  version: Version<Content>,
  scope: Scope,
  atMs: number,
): Promise<JudgedVersion<Content>> {
  if (!isPending(version, atMs)) return { version, issues: [] };
  return { version, issues: (await kind.findIssues([version], scope)).get(version.id) ?? [] };
}

/** Drafts may be incomplete, but not contradict what exists. @throws DomainProblem 400 */
export function refuseCritical<Content>(judged: JudgedVersion<Content>): JudgedVersion<Content> {
  const critical = judged.issues.filter((found) => found.severity === 'critical');
  if (critical.length > 0) throw issuesProblem(critical);
  return judged;
}

/** @throws RequestProblem 404 */
export async function existing<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  id: string,
): Promise<Version<Content>> {
  const version = await versionRepository<Content>(scope, kind.table).byId(id);
  if (version === undefined) throw notFound(kind.noun, id);
  return version;
}

/** @throws RequestProblem 404 @throws DomainProblem 400 when it was deleted */
export async function living<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  id: string,
  what: string,
): Promise<Version<Content>> {
  const version = await existing(kind, scope, id);
  if (version.deletedAt === undefined) return version;
  const reason = `${kind.noun} ${id} was deleted at ${version.deletedAt} and cannot be ${what}`;
  throw statusProblem(kind.statusCodes.change, reason, { deleted_at: version.deletedAt });
}

/** 400: the version's status does not allow a change. */
export function wrongStatus<Content>(
  kind: VersionKind<Content>,
  version: Version<Content>,
  atMs: number,
  code: keyof VersionKind<Content>['statusCodes'],
  what: string,
): DomainProblem {
  const status = statusAt(version, atMs);
  const hint = status === 'active' || status === 'archived' ? '; make a new version instead' : '';
  const reason = `${kind.noun} ${version.id} is ${status} and cannot be ${what}${what === 'updated' ? hint : ''}`;
  return statusProblem(kind.statusCodes[code], reason, { status });
}

function statusProblem(code: IssueCode, message: string, attributes: Record<string, unknown>): DomainProblem {
  return issuesProblem([{ ...issue(code, 'status', attributes), message }]);
}

/** @throws DomainProblem when the key has a draft: of two drafts, publishing the one would make the other obsolete */
export async function refuseSecondDraft<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  key: string,
  problem: 'bad-request' | 'resource-conflict',
): Promise<void> {
  const draft = await versionRepository<Content>(scope, kind.table).draft(key);
  if (draft === undefined) return;
  const message = `only a single draft version is allowed: version ${draft.version} of ${kind.noun} ${JSON.stringify(key)} is one`;
  const attributes = { id: draft.id, version: draft.version };
  throw issuesProblem([{ ...issue('only_a_single_draft_version_allowed', 'key', attributes), message }], problem);
}

export async function insertDraft<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  { key, currency, name, content, ...optional }: NewVersion<Content>,
): Promise<Version<Content>> {
  const versions = versionRepository<Content>(scope, kind.table);
  const at = formatInstant(scope.clock.nowMs());
  const { description, labels } = optional;
  const id = scope.newId();
  await versions.insert({
    id,
    key,
    version: (await versions.highestVersion(key)) + 1,
    currency,
    name,
    ...(description !== undefined && { description }),
    ...(labels !== undefined && { labels }),
    content,
    createdAt: at,
    updatedAt: at,
  });
  return existing(kind, scope, id);
}

/**
 * From `nowMs` on the version is in force, and the one that was is archived. Clocks of two servers differ and may be
 * set back: the new period begins where the last one known begins or ends if that is later, so that no two overlap.
 */
export async function publish<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  id: string,
  nowMs: number,
): Promise<void> {
  const versions = versionRepository<Content>(scope, kind.table);
  const version = await living(kind, scope, id, 'published');
  if (!isPending(version, nowMs)) throw wrongStatus(kind, version, nowMs, 'publish', 'published');
  const { issues } = await judgeVersion(kind, version, scope, nowMs);
  if (issues.length > 0) throw issuesProblem(issues);
  const fromMs = Math.max(nowMs, (await versions.latestBoundMs(version.key)) ?? nowMs);
  const before = await versions.withoutEnd(version.key);
  if (before !== undefined && before.id !== id) await endAt(kind, scope, before, fromMs, nowMs);
  await versions.setPeriod(id, { fromMs, toMs: undefined }, nowMs);
}

/** From `nowMs` on no version of the key is in force. */
export async function archive<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  id: string,
  nowMs: number,
): Promise<void> {
  const version = await living(kind, scope, id, 'archived');
  if (statusAt(version, nowMs) !== 'active') throw wrongStatus(kind, version, nowMs, 'change', 'archived');
  await endAt(kind, scope, version, nowMs, nowMs);
}

async function endAt<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  { id, effectiveFrom }: Version<Content>,
  toMs: number,
  nowMs: number,
): Promise<void> {
  if (effectiveFrom === undefined) throw new Error(`${kind.noun} ${id} was never published`);
  await versionRepository<Content>(scope, kind.table).setPeriod(id, { fromMs: msOf(effectiveFrom), toMs }, nowMs);
}

/** A version that is in force cannot be deleted: customers could still subscribe to it a moment ago. */
export async function remove<Content>(
  kind: VersionKind<Content>,
  scope: Scope,
  id: string,
  nowMs: number,
): Promise<void> {
  const version = await existing(kind, scope, id);
  if (version.deletedAt !== undefined) return;
  if (statusAt(version, nowMs) === 'active') throw wrongStatus(kind, version, nowMs, 'change', 'deleted');
  const blocked = await kind.blocksDeletion(id, scope);
  if (blocked !== undefined) throw blocked;
  await versionRepository<Content>(scope, kind.table).markDeleted(id, nowMs);
}
