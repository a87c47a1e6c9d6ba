import { join, resolve } from 'node:path';

/** The image's own prefix. */
const DEFAULT_PREFIX = '/usr/local/kong';

/**
 * The folder that the plugin servers of one gateway share: ENTITLEMENT_DIR, or `entitlement-enforcement` in Kong's prefix.
 * The feed of what was used goes over a socket in it, and what is known of entitlements is kept in it over a restart.
 */
export function enforcementDir(environment: NodeJS.ProcessEnv = process.env): string {
  const { ENTITLEMENT_DIR = '', KONG_PREFIX = '' } = environment;
  if (ENTITLEMENT_DIR !== '') return resolve(ENTITLEMENT_DIR);
  return resolve(KONG_PREFIX === '' ? DEFAULT_PREFIX : KONG_PREFIX, 'entitlement-enforcement');
}

/** Where the enforcing plugin server listens for what the metering one has counted. */
export function feedSocketPath(environment: NodeJS.ProcessEnv = process.env): string {
  return join(enforcementDir(environment), 'usage-feed.sock');
}
