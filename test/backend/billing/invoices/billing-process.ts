/** A process that bills what is in a folder and ends; tests kill it. Arguments: folder, now in milliseconds. */

import { createAccessTokens } from '../../../../backend/access/access-tokens/index.ts';
import { createBackend } from '../../../../backend/app.ts';
import { createIds } from '../../../../backend/platform/ids.ts';
import { createLogger } from '../../../../backend/platform/log.ts';
import { openControlPlane, openUsage } from '../../../support/control-engine.ts';
import { testScope } from '../../../support/scope.ts';

const [folder = '', now = ''] = process.argv.slice(2);
const clock = { nowMs: () => Number.parseInt(now, 10) };
const newId = createIds(clock);
const usage = await openUsage(folder, clock);
const db = await openControlPlane(folder);
const tokens = await createAccessTokens({ scope: testScope(db, clock), configured: [] });
const log = createLogger('error');
const { billingRuns } = createBackend({ usage, db, clock, newId, log, tokens, maxBodyBytes: 1024, version: 'test' });
process.stdout.write('ready\n');
const isDone = await billingRuns.runner.work();
await usage.close();
await db.close();
process.stdout.write(isDone ? 'done\n' : 'another process bills\n');
