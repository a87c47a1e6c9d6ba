/** Changes of plans and add-ons: what is published never changes, it gets a new version. */
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { type Change, type Planning, refusedChange } from './change.ts';
import { differences } from './compare.ts';
import { CatalogError, type Path } from './errors.ts';
import type { StoredVersion } from './server-catalog.ts';

/** What plans and add-ons have in common. */
interface Versioned {
  key: string;
  status: 'active' | 'draft';
}

/** How the versions of one kind are written. */
export interface VersionKind<Content extends Versioned> {
  /** "plan". */
  what: string;
  /** "/plans"; the section of the file has the same name. */
  path: '/plans' | '/addons';
  /** Fields that a draft keeps for life: another value takes another draft. */
  fixed: readonly (keyof Content & string)[];
  /** The request that creates a version; a draft's update leaves out `key` and the fixed fields. */
  body(content: Content): Record<string, unknown>;
  /** What a version has besides its body. @param from what the version has now, if it is not new */
  complete(id: string, content: Content, from: StoredVersion<Content> | undefined): Promise<void>;
  /** Told the version that is in force from now on. */
  onPublished(key: string, id: string): void;
}

const written = z.object({
  id: z.string(),
  validation_errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/** @param entities those of the file, in its order */
export function versionChanges<Content extends Versioned>(
  kind: VersionKind<Content>,
  entities: readonly Content[],
  stored: ReadonlyMap<string, readonly StoredVersion<Content>[]>,
  planning: Planning,
): Change[] {
  const located = entities.map((content, index) => ({ content, path: [kind.path.slice(1), index] }));
  // A draft beside the active version of a key is made after it, or publishing would publish the draft.
  const ordered = located.toSorted((a, b) => rank(a.content) - rank(b.content));
  const both = new Set(entities.filter(({ status }) => status === 'active').map(({ key }) => key));
  return ordered.flatMap(({ content, path }) => {
    const versions = stored.get(content.key) ?? [];
    const draft = versions.findLast(({ status }) => status === 'draft');
    const current = versions.findLast(({ status }) => status === 'active' || status === 'scheduled');
    const target = { kind, content, path, planning };
    return content.status === 'draft'
      ? draftChange(target, draft, current !== undefined || both.has(content.key))
      : activeChange(target, draft, current);
  });
}

const rank = ({ status }: Versioned) => (status === 'active' ? 0 : 1);

interface Target<Content extends Versioned> {
  kind: VersionKind<Content>;
  content: Content;
  path: Path;
  planning: Planning;
}

function draftChange<Content extends Versioned>(
  target: Target<Content>,
  draft: StoredVersion<Content> | undefined,
  isNext: boolean,
): Change[] {
  const { kind, content, path } = target;
  const common = { what: kind.what, key: content.key, path, note: isNext ? 'a draft beside it' : 'a draft' };
  const run = async () => void (await write(target, draft));
  if (draft === undefined) return [{ ...common, action: 'create', differences: [], run }];
  const found = differences(draft.content, content);
  return found.length === 0 ? [] : [{ ...common, action: 'update', differences: found, run }];
}

function activeChange<Content extends Versioned>(
  target: Target<Content>,
  draft: StoredVersion<Content> | undefined,
  current: StoredVersion<Content> | undefined,
): Change[] {
  const { kind, content, path, planning } = target;
  const common = { what: kind.what, key: content.key, path };
  const run = async () => {
    const id = await write(target, draft);
    await planning.api.send('POST', `${kind.path}/${id}/publish`);
    kind.onPublished(content.key, id);
  };
  if (current === undefined) {
    if (draft === undefined) return [{ ...common, action: 'create', differences: [], note: 'and publish', run }];
    const found = differences({ ...draft.content, status: 'active' }, content);
    const note = `publish version ${draft.version}, now a draft`;
    return [{ ...common, action: 'update', differences: found, note, run }];
  }
  const found = differences(current.content, content);
  if (found.length === 0) return [];
  const change = { ...common, action: 'new version' as const, differences: found };
  if (planning.newVersions) return [{ ...change, note: `version ${current.version} will be archived`, run }];
  const refusal =
    `version ${current.version} is published and never changes: with --new-version the file becomes a new version, ` +
    'existing subscriptions stay on theirs';
  return [refusedChange({ ...change, refusal })];
}

/** Makes a draft with the content, of the draft that is there or a new one. @returns its id */
async function write<Content extends Versioned>(
  { kind, content, planning: { api } }: Target<Content>,
  draft: StoredVersion<Content> | undefined,
): Promise<string> {
  const body = kind.body(content);
  const changesFixed = draft !== undefined && kind.fixed.some((field) => draft.content[field] !== content[field]);
  if (draft !== undefined && changesFixed) await api.send('DELETE', `${kind.path}/${draft.id}`);
  const kept = changesFixed ? undefined : draft;
  const id = kept === undefined ? await create(api, kind.path, body) : kept.id;
  if (kept !== undefined) {
    const changeable = Object.entries(body).filter(([name]) => name !== 'key' && !kind.fixed.includes(name as never));
    await api.send('PUT', `${kind.path}/${id}`, Object.fromEntries(changeable));
  }
  await kind.complete(id, content, kept);
  if (content.status === 'active') await refuseIncomplete(api, `${kind.path}/${id}`);
  return id;
}

async function create(api: ApiClient, path: string, body: unknown): Promise<string> {
  return written.parse(await api.send('POST', path, body)).id;
}

/** A draft may have problems that nothing published may have; here they are known with their fields. */
async function refuseIncomplete(api: ApiClient, path: string): Promise<void> {
  const { validation_errors: problems = [] } = written.parse(await api.get(path));
  if (problems.length === 0) return;
  throw new CatalogError(
    problems.map(({ field, message }) => ({
      message,
      path: field.split('.').map((step) => (/^\d+$/.test(step) ? Number.parseInt(step, 10) : step)),
    })),
  );
}
