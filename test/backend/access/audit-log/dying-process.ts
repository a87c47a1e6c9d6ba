/** Changes something and is killed in the middle of it: before it is stored, or between that and the answer. */

import { Hono } from 'hono';
import { createAuditLog } from '../../../../backend/access/audit-log/index.ts';
import { createTaxCodes } from '../../../../backend/catalog/tax-codes/index.ts';
import { openControlDb } from '../../../../backend/platform/db/control-db.ts';
import type { AppEnv } from '../../../../backend/platform/http/env.ts';
import { logRequests } from '../../../../backend/platform/http/request-log.ts';
import { createRouter } from '../../../../backend/platform/http/router.ts';
import { createIds } from '../../../../backend/platform/ids.ts';
import { createLogger } from '../../../../backend/platform/log.ts';
import { testScope } from '../../../support/scope.ts';
import { testClock } from '../../../support/test-clock.ts';

const [, , path = '', moment] = process.argv;
const clock = testClock();
const newId = createIds(clock);
const db = openControlDb(path, 'backend/migrations');
const auditLog = createAuditLog(testScope(db, clock));
const router = createRouter(async () => ({ tokenId: newId(), tokenName: 'ops', role: 'admin' }), {
  recorder: auditLog.recorder,
});
const die = () => process.kill(process.pid, 'SIGKILL');
createTaxCodes({ scope: testScope(db, clock) }).routes({
  ...router,
  endpoint: (endpoint, handler) =>
    router.endpoint(endpoint, async (input) => {
      if (moment === 'before' && endpoint.method === 'post') die();
      const response = await handler(input);
      if (endpoint.method === 'post') die();
      return response;
    }),
});
const app = new Hono<AppEnv>();
app.use(logRequests(createLogger('silent'), clock));
app.route('/', router.app);
await app.request('/tax-codes', {
  method: 'POST',
  headers: { Authorization: 'Bearer x', 'Content-Type': 'application/json' },
  body: JSON.stringify({ key: 'vat', name: 'VAT', app_mappings: [] }),
});
