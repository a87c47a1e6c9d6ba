import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../plugin/metering-and-billing/config.ts';
import { usageOf } from '../../../plugin/metering-and-billing/usage-events.ts';
import { runReplay } from '../../../plugin/replay/cli.ts';
import { recordings } from '../../gateway-player/index.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const run = async (args: string[], environment: Record<string, string> = {}) => {
  const said: string[] = [];
  const code = await runReplay(args, { environment, say: (line) => said.push(line) });
  return { code, said: said.join('\n') };
};

/** What the plugin makes of the recordings with its default configuration. */
function expectedEvents(): unknown[] {
  const { config } = readConfig({ ingest_endpoint: 'http://x/', api_token: 'x' });
  if (config === undefined) throw new Error('the default configuration works');
  return recordings().flatMap(
    ({ json }) => JSON.parse(JSON.stringify(usageOf(config.metering, json).events)) as unknown[],
  );
}
const logOf = (separator: string) =>
  recordings()
    .map(({ json }) => json)
    .join(separator);

describe('to a file', () => {
  test('a file-log gives the very events of the plugin, one a line', async () => {
    const log = file('file.log', `${logOf('\n')}\n\n`);
    const output = join(folder, 'events.jsonl');
    const { code, said } = await run(['--output', output, log]);
    expect({ code, said }).toMatchObject({ code: 0 });
    const events = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(events).toEqual(expectedEvents());
    expect(events.length).toBeGreaterThan(40);
    expect(said).toContain(`${recordings().length} log entries, 0 of them skipped, ${events.length} events`);
    expect(said).toContain('left out, no_subject');
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(readFileSync(output, 'utf8')).not.toContain('alice-key');
  });

  test('batches as http-log sends them, CRLF and several files give the same', async () => {
    const batch = file('http.log', `[${logOf(',')}]\r\n`);
    const single = file('one.log', recordings()[0]?.json ?? '');
    const output = join(folder, 'events.jsonl');
    await run(['--output', output, single, batch]);
    const events = readFileSync(output, 'utf8').trim().split('\n');
    expect(new Set(events).size).toBe(expectedEvents().length);
  });

  test('only one service or route', async () => {
    const log = file('file.log', logOf('\n'));
    const output = join(folder, 'events.jsonl');
    const { said } = await run(['--output', output, '--service', 'llm-svc', log]);
    const types = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).data);
    expect(said).toMatch(/[1-9]\d* of them skipped/);
    expect(types.length).toBeGreaterThan(0);
    const services = types.flatMap((data) => data.service_name ?? []);
    expect(new Set(services)).toEqual(new Set(['llm-svc']));
  });

  test('unreadable lines are named and counted, the others replayed', async () => {
    const log = file('file.log', `{"torn":\n${recordings().find(({ json }) => json.includes('"alice"'))?.json}\n[1,\n`);
    const output = join(folder, 'events.jsonl');
    const { code, said } = await run(['--output', output, log]);
    expect(code).toBe(1);
    expect(said).toContain('left out, unreadable_log_entry: 2');
    expect(said).toContain(`unreadable: ${log}:1`);
    expect(readFileSync(output, 'utf8').trim()).not.toBe('');
  });

  test('never over a file that is there', async () => {
    const output = file('events.jsonl', 'precious');
    const { code } = await run(['--output', output, file('file.log', logOf('\n'))]);
    expect(code).toBe(2);
    expect(readFileSync(output, 'utf8')).toBe('precious');
  });
});

describe('the configuration', () => {
  const log = () => file('file.log', logOf('\n'));
  const replayed = async (config: string, environment: Record<string, string> = {}) => {
    const output = join(folder, 'events.jsonl');
    const result = await run(['--config', file('config.yml', config), '--output', output, log()], environment);
    return {
      ...result,
      events:
        result.code === 0
          ? readFileSync(output, 'utf8')
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line))
          : [],
    };
  };

  test("is the plugin's own", async () => {
    const { events } = await replayed(
      'subject: {look_up_value_in: consumer, field: custom_id}\nmeter_ai_token_usage: false\n',
    );
    expect(new Set(events.map((event) => event.subject))).toEqual(new Set(['cust-alice']));
    expect(new Set(events.map((event) => event.type))).toEqual(new Set(['kong.api_request']));
  });

  test('can stand in a decK file, with values of the environment', async () => {
    const deck =
      `_format_version: "3.0"\nservices:\n- name: a\n  plugins:\n  - name: key-auth\n  - name: metering-and-billing\n    config:\n      api_token: "\${{ env "DECK_TOKEN" }}"\n      ingest_endpoint: https://example.com/events\n      meter_api_requests: false\n`.replace(
        '"${{ env "DECK_TOKEN" }}"',
        '\'${{ env "DECK_TOKEN" }}\'',
      );
    const { events, code, said } = await replayed(deck, { DECK_TOKEN: 'spat_x' });
    expect({ code, said }).toMatchObject({ code: 0 });
    expect(new Set(events.map((event) => event.type))).toEqual(new Set(['kong.llm_request']));
  });

  test.each([
    [
      'a plugin twice',
      'plugins: [{name: metering-and-billing, config: {}}, {name: metering-and-billing, config: {}}]',
      '2 metering-and-billing plugins',
    ],
    ['a wrong field', 'subject: {look_up_value_in: cookie}', 'look_up_value_in'],
    ['a missing variable', 'api_token: \'${{ env "DECK_MISSING" }}\'', 'DECK_MISSING'],
    ['no YAML', '{a: [', 'neither YAML nor JSON'],
  ])('%s is refused', async (_name, config, message) => {
    const { code, said } = await replayed(config);
    expect(code).toBe(2);
    expect(said).toContain(message);
  });
});

test.each([
  [[], 'name at least one log file'],
  [['x.log'], 'give either --endpoint or --output'],
  [['--output', '/tmp/x', '--endpoint', 'http://x', 'x.log'], 'give either --endpoint or --output'],
  [['--endpoint', 'http://x', 'x.log'], 'METERING_API_TOKEN is not set'],
  [['--colour', 'x.log'], '--colour'],
  [['--output', '/nonexistent/folder/x', '/nonexistent/x.log'], 'ENOENT'],
])('%j: exit code 2 and the reason', async (args, message) => {
  const { code, said } = await run(args);
  expect(code).toBe(2);
  expect(said).toContain(message);
});

test('--help explains', async () => {
  expect(await run(['--help'])).toMatchObject({ code: 0, said: expect.stringContaining('--endpoint URL') });
});

describe('to an endpoint', () => {
  let backend: TestBackend;
  let server: Server;
  let url: string;
  let answers: number[];
  beforeEach(async () => {
    backend = await createTestBackend();
    answers = [];
    server = createServer(async (request, response) => {
      const forced = answers.shift();
      if (forced !== undefined) return void response.writeHead(forced).end();
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const answer = await backend.app.request(request.url ?? '', {
        method: 'POST',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      response
        .writeHead(answer.status, Object.fromEntries(answer.headers))
        .end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/openmeter/events`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await backend.close();
  });
  const send = (log: string) => run(['--endpoint', url, log], { METERING_API_TOKEN: TOKENS.ingest });

  test('replaying twice counts once, also after failures on the way', async () => {
    const log = file('file.log', logOf('\n'));
    answers = [503, 500];
    const first = await send(log);
    expect(first.code).toBe(0);
    expect(first.said).toContain('trying again');
    expect((await send(log)).code).toBe(0);
    const count = expectedEvents().length;
    const { json } = await backend.request('GET', '/ingest-totals');
    expect(json).toEqual({ received: 2 * count, stored: count, duplicates: count });
  });

  test('a refused batch is halved until the culprit stands alone; the others arrive', async () => {
    const [alice] = recordings().filter(({ json }) => json.includes('"username":"alice"') && !json.includes('"ai"'));
    const lines = ['a', 'b', 'c', 'd', 'e'].map((id) => {
      const entry = JSON.parse(alice?.json ?? '{}');
      entry.request.id = id;
      // An instant that the backend refuses.
      if (id === 'c') entry.started_at = 0;
      return JSON.stringify(entry);
    });
    const { code, said } = await send(file('file.log', lines.join('\n')));
    expect(code).toBe(1);
    expect(said).toMatch(/refused: c: 400/);
    const { json } = await backend.request('GET', '/events');
    expect(json.data.map((item: { event: { id: string } }) => item.event.id).sort()).toEqual(['a', 'b', 'd', 'e']);
  });
});
