import type { ApiClient } from './api-client.ts';
import type { Path } from './errors.ts';
import type { Ids } from './references.ts';
import type { ServerCatalog } from './server-catalog.ts';

/** What changes are planned from. */
export interface Planning {
  api: ApiClient;
  server: ServerCatalog;
  ids: Ids;
  /** Whether what is published may get a new version. */
  newVersions: boolean;
}

/** One step from the server's catalog to the file's. */
export interface Change {
  action: 'create' | 'update' | 'new version' | 'delete';
  /** "meter", "plan". */
  what: string;
  key: string;
  /** Where the file has it; missing for what is deleted. */
  path?: Path;
  differences: readonly string[];
  /** More about it: which version, what becomes of it. */
  note?: string;
  /** Why it is not made. One refusal stops all changes. */
  refusal?: string;
  run(): Promise<void>;
}

/** A change that will not be made. */
export function refusedChange(change: Omit<Change, 'run'> & { refusal: string }): Change {
  return { ...change, run: async () => {} };
}
