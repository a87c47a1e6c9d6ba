import type { Clock } from '../../backend/platform/clock.ts';
import type { ControlDb } from '../../backend/platform/db/control-db.ts';
import { createIds } from '../../backend/platform/ids.ts';
import { createLogger, type Logger } from '../../backend/platform/log.ts';
import { createScope, type Scope } from '../../backend/platform/scope.ts';

/** A scope that says nothing, for what is tested without the whole backend. */
export function testScope(db: ControlDb, clock: Clock, log: Logger = createLogger('silent')): Scope {
  return createScope({ db, clock, newId: createIds(clock), log });
}
