import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';
import { ask, startLoad } from './support/load.ts';
import { HAS_POSTGRES, type Postgres, startPostgres } from './support/postgres.ts';
import { KONG, prepareKong, type RealKong } from './support/real-kong.ts';

const DECK = findCommand('deck');
const CAN_RUN = KONG !== undefined && DECK !== undefined && HAS_POSTGRES;
const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'admin-token-of-a-test-0123';
const TIMEOUT_MS = 300_000;
const NODES = ['first', 'second'] as const;

let folder: string;
let backend: RunningBackend;
let postgres: Postgres;
let kongs: readonly RealKong[] = [];

beforeAll(async () => {
  if (!CAN_RUN) return;
  folder = mkdtempSync(join(tmpdir(), 'database-'));
  const config = loadConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', ADMIN_TOKEN: TOKEN });
  backend = await startBackend(config, createLogger('silent'));
  postgres = await startPostgres();
  kongs = await Promise.all(
    NODES.map((node, index) =>
      prepareKong({
        installation: index === 0 ? 'managed' : 'service',
        endpoint: '',
        database: postgres,
        workers: 1,
        countsRequests: true,
        env: { METERING_NODE: node, METERING_REQUESTS_LOG_INTERVAL_MS: '1000' },
        // What the references of the configuration lead to.
        kongEnv: { DECK_AUTH_TOKEN: TOKEN, DECK_INGEST_ENDPOINT: `${backend.url}/v3/openmeter/events` },
      }),
    ),
  );
  await kongs[0]?.run('migrations bootstrap');
  for (const { run: kong } of kongs) await kong('start');
}, TIMEOUT_MS);

afterAll(async () => {
  if (!CAN_RUN) return;
  for (const kong of kongs) await kong.remove();
  await postgres.remove();
  await backend.stop();
  rmSync(folder, { recursive: true });
}, TIMEOUT_MS);

describe.skipIf(!CAN_RUN)('two real Kongs on one database', () => {
  test(
    'meter into one backend what decK tells both of them, with a token that only their environment has',
    async () => {
      const [first, second] = kongs as [RealKong, RealKong];
      const stateFile = join(folder, 'kong.yml');
      const state = withReferences(first.upstreamUrl);
      expect(state).toContain('{vault://env/deck_auth_token}');
      writeFileSync(stateFile, state);
      // A worker that has started a plugin server cannot put its own configuration into JSON, and decK asks for that first.
      expect((await fetch(first.adminUrl)).status).toBe(500);
      expect((await fetch(second.adminUrl)).status).toBe(200);
      sync(stateFile, second);
      const refused = await Promise.all(kongs.map(({ proxy }) => untilRouted(proxy)));

      const loads = [
        startLoad(first.proxy, '/anything', 8),
        startLoad(second.proxy, '/anything', 8),
        startLoad(second.proxy, '/anything', 4, { apikey: 'bob-key' }),
      ] as const;
      const answered = (count: number) =>
        expect.poll(() => loads.every((load) => load.answered.length > count)).toBe(true);
      await answered(100);
      // Kong makes new instances of the plugin for it.
      writeFileSync(stateFile, state.replace('meter_ai_token_usage: false', 'meter_ai_token_usage: true'));
      sync(stateFile, second);
      await answered(Math.max(...loads.map((load) => load.answered.length)) + 500);
      await Promise.all(loads.map((load) => load.stop()));

      // A worker that has not heard of the route yet has nobody to tell of the request.
      const counts = loads.map(({ statuses }) => ({
        metered: statuses.get(200) ?? 0,
        unrouted: statuses.get(404) ?? 0,
      }));
      expect(counts.reduce((sum, { metered, unrouted }) => sum + metered + unrouted, 0)).toBe(
        loads.reduce((sum, load) => sum + load.answered.length, 0),
      );
      const [alice, other, bob] = counts as [Counts, Counts, Counts];
      // The first that was routed on a node had an event, too.
      const ofFirst = { metered: alice.metered + 1, unexplained: alice.unrouted + (refused[0] ?? 0) };
      const ofSecond = {
        metered: other.metered + bob.metered + 1,
        unexplained: other.unrouted + bob.unrouted + (refused[1] ?? 0),
      };
      const requests = async () =>
        (await fetchJson<{ data: { node: string }[] }>('/gateway-requests')).data.toSorted(byNode);
      await expect.poll(requests).toMatchObject([
        { node: 'first', ...ofFirst },
        { node: 'second', ...ofSecond },
      ]);
      const stored = ofFirst.metered + ofSecond.metered;
      await expect.poll(() => fetchJson('/ingest-totals'), { timeout: 60_000 }).toMatchObject({ stored });
      process.stdout.write(`two nodes, ${stored} of ${stored} requests metered, ${JSON.stringify(await requests())}\n`);
    },
    TIMEOUT_MS,
  );
});

interface Counts {
  readonly metered: number;
  readonly unrouted: number;
}

/** The example of this repository, with references in place of decK's placeholders. */
function withReferences(upstreamUrl: string): string {
  const env = plainEnv({ DECK_AUTH_TOKEN: 'any', DECK_INGEST_ENDPOINT: 'any', EXAMPLE_UPSTREAM: upstreamUrl });
  const { code, stdout, stderr } = run('bash', [join(ROOT, 'docker/kong/dbless-config.sh'), join(ROOT, 'kong.yml')], {
    env,
  });
  if (code !== 0) throw new Error(stderr);
  return stdout.replace(/^( +)meter_api_requests: true$/m, '$&\n$1queue: { max_batch_size: 100 }');
}

function sync(file: string, { adminUrl }: RealKong): void {
  const env = plainEnv();
  const isNew = run('deck', ['gateway', 'sync', '--help'], { env }).code === 0;
  const args = isNew ? ['gateway', 'sync', file] : ['sync', '--state', file];
  const { code, stdout, stderr } = run('deck', ['--kong-addr', adminUrl, ...args], { env });
  if (code !== 0) throw new Error(`${stdout}${stderr}`);
}

/** Resolves with how many requests were answered before the first that was routed. */
async function untilRouted(proxy: number): Promise<number> {
  let refused = -1;
  const status = async () => {
    refused++;
    return (await ask(undefined, proxy, '/anything'))?.status;
  };
  await expect.poll(status, { timeout: 60_000, interval: 200 }).toBe(200);
  return refused;
}

const byNode = (a: { readonly node: string }, b: { readonly node: string }) => (a.node < b.node ? -1 : 1);

async function fetchJson<Answer>(path: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(`${backend.url}/v3/openmeter${path}`, { headers })).json()) as Answer;
}
