import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { loadConfig } from '../backend/config.ts';
import { type RunningBackend, startBackend } from '../backend/main.ts';
import { createLogger } from '../backend/platform/log.ts';
import { answerOf, type Client, createClient } from '../sdk/index.ts';
import { connectPlayer, kongConfig, startStockPluginServer } from '../test/gateway-player/index.ts';
import { previewRows, startBilling } from './billing.ts';
import { printTable } from './table.ts';
import { demoTraffic } from './traffic.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_DATA_DIR = join(ROOT, 'data', 'demo');
const PLUGIN_DIR = join(ROOT, 'dist', 'plugin', 'metering-and-billing');
/** Calls that the gateway has under way at the same time. */
const CONNECTIONS = 4;
/** Events are on their way for a fraction of a second; this is for a machine that stands still. */
const ARRIVAL_TIMEOUT_MS = 60_000;

/** How the demo runs. */
export interface DemoOptions {
  /** End after the figures instead of staying up. */
  once: boolean;
  /** Folder of the databases; emptied at the start. */
  dataDir?: string | undefined;
  /** An empty PostgreSQL database, instead of files in the folder. */
  databaseUrl?: string | undefined;
}

/** Plays recorded gateway traffic through the real plugin server into a backend, and shows what became of it. */
export async function demo({ once, dataDir = DEFAULT_DATA_DIR, databaseUrl }: DemoOptions): Promise<void> {
  const adminToken = `spat_${randomBytes(24).toString('base64url')}`;
  const ingestToken = `spat_${randomBytes(24).toString('base64url')}`;
  if (databaseUrl !== undefined) await refuseUsed(databaseUrl);
  rmSync(dataDir, { recursive: true, force: true });
  const backend = await startDemoBackend({ dataDir, databaseUrl, adminToken, ingestToken });
  try {
    const api = createClient({ url: backend.url, token: adminToken });
    const where = databaseUrl === undefined ? `databases in ${dataDir}` : 'database on the server of DATABASE_URL';
    say(`The backend listens on ${backend.url}, with its ${where}`);
    const meters = await createMeters(api);
    const customers = await startBilling(api, meters);
    await playTraffic(backend.url, ingestToken, api);
    await printUsage(api, meters);
    printTable(
      'Next invoices, as their previews stand',
      ['customer', 'line', 'amount'],
      await previewRows(api, customers),
    );
    sayWhereToLook(backend.url, adminToken, meters.requests);
    if (!once) await untilInterrupted();
  } finally {
    await backend.stop();
  }
}

/** The demo's figures are of its own events, and no database of somebody's may get them. */
async function refuseUsed(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_namespace WHERE nspname IN ('control', 'usage')");
    if (rowCount !== 0)
      throw new Error('the database of DATABASE_URL has been used: the demo begins with an empty one');
  } finally {
    await client.end();
  }
}

/** On its documented port where that is free, on any other where it is not. */
async function startDemoBackend(parts: {
  dataDir: string;
  databaseUrl: string | undefined;
  adminToken: string;
  ingestToken: string;
}): Promise<RunningBackend> {
  const log = createLogger('error', process.stderr);
  const start = (port: string) =>
    startBackend(
      loadConfig({
        DATA_DIR: parts.dataDir,
        DATABASE_URL: parts.databaseUrl,
        PORT: port,
        LOG_LEVEL: 'error',
        ADMIN_TOKEN: parts.adminToken,
        INGEST_TOKEN: parts.ingestToken,
      }),
      log,
    );
  try {
    return await start('8888');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return start('0');
  }
}

interface Meters {
  requests: string;
  tokens: string;
}

/** Enables the built-in meter of API requests and creates the documented meter of tokens from its template. */
async function createMeters(api: Client): Promise<Meters> {
  const requests = await answerOf(
    api.POST('/v3/openmeter/built-in-meters/{meterKey}/enable', {
      params: { path: { meterKey: 'kong_konnect_api_request' } },
    }),
  );
  const templates = await answerOf(api.GET('/v3/openmeter/meter-templates'));
  const template = templates.data.find(({ key }) => key === 'llm_tokens_total');
  if (template === undefined) throw new Error('the backend has no template for LLM tokens');
  const tokens = await answerOf(api.POST('/v3/openmeter/meters', { body: template }));
  return { requests: requests.id, tokens: tokens.id };
}

async function playTraffic(url: string, token: string, api: Client): Promise<void> {
  const server = await startStockPluginServer({ pluginDir: PLUGIN_DIR });
  const player = connectPlayer(server.socketPath, { connections: CONNECTIONS });
  try {
    const instance = await player.startInstance(
      'metering-and-billing',
      kongConfig({
        ingest_endpoint: `${url}/v3/openmeter/events`,
        api_token: token,
        queue: { max_batch_size: 50, max_coalescing_delay: 0.2 },
      }),
    );
    const { requests, repeated } = demoTraffic(Date.now());
    say(
      `Playing ${requests.length} recorded requests through kong-js-pluginserver, ${repeated.length} of them twice …`,
    );
    await Promise.all([...requests, ...repeated].map(({ entryJson }) => player.logRequest(instance, entryJson)));
    await untilSettled(api);
  } finally {
    player.close();
    // The plugin sends what it still has before it ends.
    await server.terminate();
  }
}

/** Waits until events have arrived and no more come for as long as the plugin collects a batch. */
async function untilSettled(api: Client): Promise<void> {
  const deadlineMs = Date.now() + ARRIVAL_TIMEOUT_MS;
  let before = -1;
  while (Date.now() < deadlineMs) {
    const { received } = await answerOf(api.GET('/v3/openmeter/ingest-totals'));
    if (received > 0 && received === before) return;
    before = received;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('no events arrived');
}

async function printUsage(api: Client, meters: Meters): Promise<void> {
  const totals = await answerOf(api.GET('/v3/openmeter/ingest-totals'));
  say('');
  say(`Events received: ${totals.received}, duplicates among them: ${totals.duplicates}, stored: ${totals.stored}`);
  const byService = await groups(api, meters.requests, ['subject', 'service_name']);
  printTable(
    'API requests by consumer and service',
    ['consumer', 'service', 'requests'],
    rows(byService, 'subject', 'service_name'),
  );
  const byModel = await groups(api, meters.tokens, ['model', 'type']);
  printTable('LLM tokens by model and type', ['model', 'type', 'tokens'], rows(byModel, 'model', 'type'));
}

function groups(api: Client, meterId: string, dimensions: string[]) {
  return answerOf(
    api.POST('/v3/openmeter/meters/{meterId}/query', {
      params: { path: { meterId } },
      body: { group_by_dimensions: dimensions },
    }),
  );
}

function rows(answer: Awaited<ReturnType<typeof groups>>, ...dimensions: string[]): string[][] {
  return answer.data.map((row) => [...dimensions.map((name) => row.dimensions[name] ?? ''), row.value]);
}

function sayWhereToLook(url: string, adminToken: string, meterId: string): void {
  say('');
  say('Look further:');
  say(`  Console         ${url}`);
  say(`  Admin token     ${adminToken}`);
  say(`  API reference   ${url}/docs`);
  say('  Stored events');
  say(`    curl -g -H "Authorization: Bearer ${adminToken}" "${url}/v3/openmeter/events?page[size]=3"`);
  say('  Requests of alice, by route');
  const body = '{"group_by_dimensions":["route_name"],"filters":{"dimensions":{"subject":{"eq":"alice"}}}}';
  say(
    `    curl -H "Authorization: Bearer ${adminToken}" -H "Content-Type: application/json" -d '${body}' ${url}/v3/openmeter/meters/${meterId}/query`,
  );
}

async function untilInterrupted(): Promise<void> {
  say('');
  say('The backend stays up until Ctrl-C.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
