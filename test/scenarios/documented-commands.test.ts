import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../plugin/metering-and-billing/config.ts';
import { kongConfig } from '../gateway-player/index.ts';
import type { Json } from '../support/answers.ts';
import { TOKENS } from '../support/backend.ts';
import { callsOf, phase } from '../support/catalog/plans.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';
import { type ServedBackend, serveBackend } from '../support/served-backend.ts';
import { priceAgentRuns } from './support/tutorial-catalog.ts';

/**
 * The commands of the tutorials for Konnect Metering & Billing, as a shell runs them, with another host and another
 * token. What is clicked in between is in test/console/tutorials.test.ts, what goes through the gateway too.
 */
let served: ServedBackend;
let calls: ReturnType<typeof callsOf>;
beforeAll(async () => {
  served = await serveBackend(new Date(Date.now() - 60_000).toISOString());
  calls = callsOf(served.backend);
});
afterAll(() => served.close());

/** @returns what the commands print */
async function shell(commands: string, token: string = TOKENS.admin): Promise<string> {
  const env = plainEnv({ KONNECT_TOKEN: token });
  return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], { env })).stdout;
}

const sendRun = (id: string, agent: string) => `
curl -X POST "${served.url}/v3/openmeter/events" \\
     --no-progress-meter --fail-with-body  \\
     -H "Authorization: Bearer $KONNECT_TOKEN"\\
     -H "Content-Type: application/cloudevents+json" \\
     --json '{
       "specversion": "1.0",
       "type": "agent_run",
       "id": "${id}",
       "source": "acme-platform",
       "time": "'$EVENT_TIME'",
       "datacontenttype": "application/json",
       "subject": "acme-inc",
       "data": {
         "agent_name": "${agent}"
       }
     }'`;
const RUNS = [
  ['8655CDD7-0775-4AEA-AF8C-89C47EBC8828', 'summarizer'],
  ['3EC7EFD0-5B78-47A4-AE9E-15965675CF95', 'summarizer'],
  ['48FC220C-C124-4B73-B378-7DC5CF88DD1A', 'translator'],
] as const;
const EXPORT_TIME = 'export EVENT_TIME=$(date -u +%Y-%m-%dT%H:%M:%SZ)';

describe.skipIf(findCommand('curl') === undefined || findCommand('bash') === undefined)('with curl', () => {
  test('generic meters: three runs of agents are three dollars on the preview, however often they are sent', async () => {
    const { meter, card } = await priceAgentRuns(calls.ok);
    await calls.publishPlan('premium_plan', { name: 'Premium Plan', phases: [phase([card])] });
    const customer = await calls.ok('POST', '/customers', { key: 'acme-inc', name: 'Acme Inc' });
    await calls.ok('POST', '/subscriptions', { customer: { id: customer.id }, plan: { key: 'premium_plan' } });
    // The tutorial takes its reader longer: only what is sent after the subscription counts.
    served.backend.clock.advanceMs(60_000);

    const commands = [EXPORT_TIME, ...RUNS.map(([id, agent]) => sendRun(id, agent))].join('\n');
    for (const _again of ['once', 'and once more']) expect(await shell(commands)).toBe('');

    const { lines, totals } = await calls.ok('GET', `/customers/${customer.id}/invoice-preview`);
    expect(lines).toMatchObject([{ name: 'Agent Runs', detailed_lines: [{ quantity: '3', unit_price: '1' }] }]);
    expect(totals.total).toBe('3');
    const runs = await calls.call('POST', `/meters/${meter.id}/query`, { group_by_dimensions: ['agent_name'] });
    const byAgent = runs.json.data.map(({ value, dimensions }: Json) => [dimensions.agent_name, value]);
    expect(byAgent.sort()).toEqual([
      ['summarizer', '2'],
      ['translator', '1'],
    ]);
  });

  test('a token that may not send makes the same command fail, with the reason', async () => {
    const commands = [EXPORT_TIME, sendRun('another', 'summarizer')].join('\n');
    const failed = await shell(commands, TOKENS.viewer).catch((error: { code: number; stdout: string }) => error);
    expect(failed).toMatchObject({ code: 22, stdout: expect.stringContaining('"status":403') });
  });
});

/** What the tutorials pipe into `deck gateway apply -`. */
const STATES: Record<string, string> = {
  'a service and a route': `
services:
  - name: example-service
    url: http://httpbin.konghq.com/anything
routes:
  - name: example-route
    paths:
    - "/anything"
    service:
      name: example-service
    protocols:
    - http
    - https
`,
  'the Consumer alice': `
consumers:
  - username: alice
    keyauth_credentials:
    - key: alice-key
`,
  'the Consumer kong-air': `
consumers:
  - username: kong-air
    keyauth_credentials:
      - key: air-key
`,
  'the Consumer kong-air2': `
consumers:
  - username: kong-air2
`,
  'key authentication for all': `
plugins:
  - name: key-auth
    config:
      key_names:
        - apikey
`,
  'key authentication for a service': `
plugins:
  - name: key-auth
    service: example-service
    config:
      key_names:
      - apikey
`,
  'the plugin for a service': `
plugins:
  - name: metering-and-billing
    service: example-service
    config:
      ingest_endpoint: https://metering.example/v3/openmeter/events
      api_token: "\${{ env "DECK_AUTH_TOKEN" }}"
      meter_api_requests: true
      meter_ai_token_usage: false
      subject:
        look_up_value_in: consumer
`,
};

describe.skipIf(findCommand('deck') === undefined)('with decK', () => {
  test.each(Object.entries(STATES))('%s', (_name, state) => {
    const folder = mkdtempSync(join(tmpdir(), 'deck-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'kong.yml');
    // Where a service is named, it was made by the command before.
    const service = state.includes('service: example-service') ? STATES['a service and a route'] : '';
    writeFileSync(file, `_format_version: "3.0"\n${service}${state}`);
    const env = plainEnv({ DECK_AUTH_TOKEN: 'spat_of-the-test' });
    // As the tutorials ask for; Debian's decK is older, and fills in no variables before it reads YAML.
    const isNew = run('deck', ['file', 'validate', '--help'], { env }).code === 0;
    if (!isNew)
      writeFileSync(file, readFileSync(file, 'utf8').replace(/\$\{\{ env "\w+" \}\}/, env['DECK_AUTH_TOKEN'] ?? ''));
    const args = isNew ? ['file', 'validate', file] : ['validate', '--state', file];
    const { code, stderr } = run('deck', args, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test("the plugin takes the tutorial's configuration without a warning", () => {
  const state = STATES['the plugin for a service']?.replace('${{ env "DECK_AUTH_TOKEN" }}', 'spat_of-the-test') ?? '';
  const { plugins } = parse(state) as { plugins: { config: Record<string, unknown> }[] };
  const read = readConfig(kongConfig(plugins[0]?.config ?? {}));
  expect(read).toMatchObject({ config: { warnings: [] } });
});
