import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAccessTokens } from '../../../../backend/access/access-tokens/index.ts';
import { createApp } from '../../../../backend/app.ts';
import { systemClock } from '../../../../backend/platform/clock.ts';
import { createIds } from '../../../../backend/platform/ids.ts';
import { createLogger } from '../../../../backend/platform/log.ts';
import { openControlPlane, openUsage } from '../../../support/control-engine.ts';
import { testScope } from '../../../support/scope.ts';

/**
 * node concurrent-publisher.ts FOLDER NAME ROUNDS: a backend of its own on the control plane of FOLDER. In each round it
 * makes a draft of one plan or takes the one that there is, edits it, and publishes it. Tells what it has published.
 */
const [shared = '', name = '', rounds = '0'] = process.argv.slice(2);
const KEY = 'contested';
const TOKEN = `token-of-${name}-0123456789`;
const clock = systemClock;
const newId = createIds(clock);
const folder = mkdtempSync(join(tmpdir(), 'publisher-'));
const db = await openControlPlane(shared);
const usage = await openUsage(folder, clock);
const configured = [{ name, role: 'admin' as const, token: TOKEN }];
const tokens = await createAccessTokens({ scope: testScope(db, clock), configured });
const log = createLogger('error');
const app = createApp({ usage, db, clock, newId, log, tokens, maxBodyBytes: 1_000_000, version: '0.0.0-test' });

// biome-ignore lint/suspicious/noExplicitAny: a script of tests looks into answers freely
async function call(method: string, path: string, body?: unknown): Promise<{ status: number; json: any }> {
  const response = await app.request(`/v3/openmeter${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

const content = (round: number) => ({
  name: `${name} ${round}`,
  phases: [
    {
      key: 'default',
      name: 'Default',
      rate_cards: [
        { key: 'fee', name: 'Fee', billing_cadence: 'P1M', price: { type: 'flat', amount: `${round}.${name.length}` } },
      ],
    },
  ],
});

console.log('ready');
await once(process.stdin, 'data');
process.stdin.destroy();
const published: unknown[] = [];
const refused: Record<string, number> = {};
for (let round = 1; published.length < Number.parseInt(rounds, 10); round++) {
  await call('POST', '/plans', { ...content(round), key: KEY, currency: 'USD', billing_cadence: 'P1M' });
  const drafts = (await call('GET', `/plans?filter[key]=${KEY}&filter[status]=draft`)).json.data;
  const [draft] = drafts;
  if (draft === undefined) continue;
  const answers = await Promise.all([
    call('PUT', `/plans/${draft.id}`, content(round)),
    call('POST', `/plans/${draft.id}/publish`),
  ]);
  for (const { status } of answers) {
    if (status !== 200 && status !== 400) throw new Error(JSON.stringify(answers));
    if (status === 400) refused[round] = (refused[round] ?? 0) + 1;
  }
  if (answers[1].status === 200) published.push(answers[1].json);
}
console.log(JSON.stringify({ published, refused: Object.keys(refused).length }));
await usage.close();
await db.close();
rmSync(folder, { recursive: true, force: true });
