import type { DomainProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import type { IssueCode } from './issue-codes.ts';
import type { CatalogIssue, EffectivePeriod, Labels } from './types.ts';

/** What a client may change in a draft, and PUT replaces as a whole. */
export interface VersionChange<Content> {
  name: string;
  description?: string;
  labels?: Labels;
  content: Content;
}

/** What a client chooses when it creates a version. */
export interface NewVersion<Content> extends VersionChange<Content> {
  /** Shared by all versions of one plan or add-on. */
  key: string;
  /** Code of the currency of all prices that name no other. */
  currency: string;
}

/** A version of a plan or add-on. Published ones never change; all instants are RFC 3339 in UTC. */
export interface Version<Content> extends NewVersion<Content>, EffectivePeriod {
  id: string;
  /** 1, 2, 3 … in the order in which the versions of the key were created; deleted ones count. */
  version: number;
  createdAt: string;
  updatedAt: string;
  deletedAt?: string;
}

export type VersionFilterField = 'id' | 'key' | 'name' | 'status' | 'currency';
export type VersionSortField = 'created_at' | 'id' | 'key' | 'name' | 'version' | 'updated_at';

/** The tables that hold versions; they have the same columns. */
export type VersionTable = 'plans' | 'addons';

/** What makes plans and add-ons different. All functions read through the scope that they are given. */
export interface VersionKind<Content> {
  table: VersionTable;
  /** For messages. */
  noun: 'plan' | 'add-on';
  /** The code when a status does not allow a change. */
  statusCodes: Record<'change' | 'publish', IssueCode>;
  /** By id, all that keeps these versions from being published; a version without an entry has no issue. */
  findIssues(
    versions: readonly Version<Content>[],
    scope: Scope,
  ): Promise<ReadonlyMap<string, readonly CatalogIssue[]>>;
  /** What keeps a version from being deleted. */
  blocksDeletion(id: string, scope: Scope): Promise<DomainProblem | undefined>;
  /** Runs when a draft was made from another version. */
  afterCopy(sourceId: string, copyId: string, scope: Scope): Promise<void>;
}
