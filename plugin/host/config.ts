import { createHash } from 'node:crypto';

/** What the environment says to the plugin server itself. */
export interface HostConfig {
  /** The listening socket that whoever started this process, such as systemd, has made for it. */
  readonly activatedSocket: number | undefined;
  /** Stands for all settings that the plugin reads: another value means that a running server has others. */
  readonly settingsKey: string;
}

/** The first descriptor that systemd hands over; sd_listen_fds(3). */
const FIRST_ACTIVATED = 3;
/** Whose values change what a plugin server does. */
const SETTINGS = /^(?:METERING_|ENFORCEMENT_|ENTITLEMENT_|NODE_|SSL_|HTTPS?_PROXY$|NO_PROXY$|KONG_PREFIX$|TZ$)/;

/** Reads LISTEN_PID and LISTEN_FDS, and which settings there are. */
export function readHostConfig(pid: number, environment: NodeJS.ProcessEnv = process.env): HostConfig {
  const { LISTEN_PID, LISTEN_FDS } = environment;
  const isActivated = LISTEN_PID === String(pid) && LISTEN_FDS !== undefined && /^[1-9]/.test(LISTEN_FDS);
  const settings = Object.entries(environment)
    .filter(([name]) => SETTINGS.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    activatedSocket: isActivated ? FIRST_ACTIVATED : undefined,
    settingsKey: createHash('sha256').update(JSON.stringify(settings)).digest('hex'),
  };
}
