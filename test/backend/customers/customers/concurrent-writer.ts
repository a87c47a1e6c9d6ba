import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createCustomers } from '../../../../backend/customers/customers/index.ts';
import { systemClock } from '../../../../backend/platform/clock.ts';
import { openControlDb } from '../../../../backend/platform/db/control-db.ts';
import { DomainProblem } from '../../../../backend/platform/errors.ts';
import { testScope } from '../../../support/scope.ts';

/** node concurrent-writer.ts FILE NAME KEY…: creates for each KEY a customer that has it as key or as subject key. */
const [file = '', name = '', ...keys] = process.argv.slice(2);
const db = openControlDb(file, fileURLToPath(new URL('../../../../backend/migrations', import.meta.url)));
const customers = createCustomers({ scope: testScope(db, systemClock) });

console.log('ready');
await once(process.stdin, 'data');
process.stdin.destroy();
const outcomes: string[] = [];
for (const [index, key] of keys.entries()) {
  const request =
    index % 2 === 0 ? { key, name } : { key: `${name}-${key}`, name, usage_attribution: { subject_keys: [key] } };
  outcomes.push(
    await customers.create(request).then(
      () => 'created',
      (error: unknown) => (error instanceof DomainProblem ? error.kind : String(error)),
    ),
  );
}
console.log(JSON.stringify(outcomes));
await db.close();
