import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { callModel } from './support/chat.ts';
import { LLM_CASES, type LlmCase, type Tokens } from './support/llm-cases.ts';
import { llmPath, llmService } from './support/llm-service.ts';
import { type Models, startModels } from './support/models.ts';
import { KONG, prepareKong, type RealKong } from './support/real-kong.ts';

const TOKEN = 'admin-token-of-a-test-0123';
const TIMEOUT_MS = 120_000;

let folder: string;
let log: string;
let backend: RunningBackend;
let models: Models;
let kong: RealKong;

beforeAll(async () => {
  if (KONG === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'llm-calls-'));
  log = join(folder, 'file.log');
  const config = loadConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', ADMIN_TOKEN: TOKEN });
  backend = await startBackend(config, createLogger('silent'));
  models = await startModels();
  const metering = { ingest_endpoint: `${backend.url}/v3/openmeter/events`, api_token: TOKEN };
  kong = await prepareKong({
    installation: 'service',
    endpoint: metering.ingest_endpoint,
    token: TOKEN,
    countsRequests: true,
    env: { METERING_REQUESTS_LOG_INTERVAL_MS: '1000', METERING_NODE: 'real' },
    // For the function that has Kong count once.
    conf: { untrusted_lua_sandbox_environment: 'ngx' },
    services: LLM_CASES.map((one, index) => llmService(one, index, { metering, log, modelsPort: models.port })),
  });
  await kong.run('start');
}, TIMEOUT_MS);

afterAll(async () => {
  if (KONG === undefined) return;
  await kong.remove();
  await backend.stop();
  models.close();
  rmSync(folder, { recursive: true });
}, TIMEOUT_MS);

describe.skipIf(KONG === undefined)('on a real Kong the tokens are those that are known of', () => {
  test.each(LLM_CASES.map((one, index) => [one.what, one, index] as const))(
    '%s',
    async (name, { model, isStreamed = false, body, status, tokens }: LlmCase, index) => {
      const before = models.asked(model);
      const isAsked = () => expect.poll(() => models.asked(model)).toBe(before + 1);
      const leaveWhen = status === undefined ? isAsked() : undefined;
      const call = { path: llmPath(index), name, isStreamed, body, leaveWhen };
      expect(await callModel(kong.proxy, call)).toBe(status);
      const requestId = await loggedId(name);
      await expect.poll(() => tokensOf(requestId)).toEqual(tokens);
    },
    TIMEOUT_MS,
  );

  test('and of the others the ledger says how many they are', async () => {
    const sum = LLM_CASES.reduce((before, { unknown = 0 }) => before + unknown, 0);
    const dropped = async () => (await get<{ data: { dropped: object }[] }>('/gateway-nodes')).data.map(droppedOf);
    await expect.poll(dropped).toEqual([{ unknown_token_count: sum }]);
    const requests = async () => (await get<{ data: object[] }>('/gateway-requests')).data;
    const without = (isIt: (one: LlmCase) => boolean) =>
      LLM_CASES.filter((one) => one.tokens.length === 0 && isIt(one));
    const not_metered = {
      unknown_token_count: without(({ unknown = 0 }) => unknown > 0).length,
      status_not_allowed: without(({ status }) => status !== undefined).length,
    };
    const served = LLM_CASES.length;
    await expect.poll(requests).toMatchObject([{ served, not_metered, unexplained: 0, under_way: 0 }]);
  });
});

const droppedOf = ({ dropped }: { readonly dropped: object }) => dropped;

/** Kong's id of the request, from its own log. */
async function loggedId(name: string): Promise<string> {
  const find = (): string | undefined => {
    const lines = readFileSync(log, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(0, -1);
    const entries = lines.map((line) => JSON.parse(line) as Entry);
    return entries.find(({ request }) => request.headers['x-case'] === name)?.request.id;
  };
  await expect.poll(find).toBeDefined();
  return find() ?? '';
}

interface Entry {
  readonly request: { readonly id: string; readonly headers: Readonly<Record<string, string>> };
}

async function tokensOf(requestId: string): Promise<readonly Tokens[]> {
  const { data } = await get<{ data: { event: { id: string; data: Data } }[] }>('/events?page[size]=100');
  return data
    .filter(({ event }) => event.id.startsWith(requestId))
    .map(({ event: { data: one } }): Tokens => [one.type, one.tokens, one.count])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

interface Data {
  readonly type: Tokens[0];
  readonly tokens: number;
  readonly count: Tokens[2];
}

async function get<Answer>(path: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(`${backend.url}/v3/openmeter${path}`, { headers })).json()) as Answer;
}
