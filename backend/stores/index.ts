import type { Config } from '../config.ts';
import { openFiles } from './files.ts';
import { openServer } from './server.ts';
import type { Stores, StoresWatch } from './types.ts';

export type { Stores } from './types.ts';

/** Opens what the settings name: PostgreSQL by DATABASE_URL, or else files in DATA_DIR. @throws FolderTaken, DataLost */
export function openStores(config: Config, watch: StoresWatch): Promise<Stores> {
  return config.databaseUrl === undefined ? openFiles(config, watch) : openServer(config.databaseUrl, config, watch);
}
