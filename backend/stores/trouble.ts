import type { Logger } from '../platform/log.ts';

/** Told why upkeep of the usage store has failed that no request waits for. */
export const sayTrouble =
  (log: Logger) =>
  (reason: string): void =>
    log.error({ reason }, 'the upkeep of the usage store has failed and will be tried again');
