import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { startBackend } from '../../backend/main.ts';
import { createGauges } from '../../backend/monitoring/gauges.ts';
import { createMetrics } from '../../backend/monitoring/metrics.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { SETTING_NAMES } from '../../backend/settings/index.ts';
import { readConfig } from '../../plugin/delivery/config.ts';
import { Schema as EnforcementSchema } from '../../plugin/entitlement-enforcement/schema.ts';
import { NAMES_WITHOUT_EFFECT } from '../../plugin/entitlement-enforcement/schema-without-effect.ts';
import { Schema } from '../../plugin/metering-and-billing/schema.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';

const PAGES = ['README.md', 'CHANGELOG.md', ...globSync('docs/*.md')];
const INSTALL = 'docs/install-on-kong.md';
const TOKEN = 'token-of-the-documentation';
/** Between what two blocks write. */
const BORDER = '--- next block ---';

const read = (file: string) => readFileSync(file, 'utf8');

/** The fenced blocks of a page, with what stands after the three backticks. */
function blocksOf(file: string): { info: string; text: string }[] {
  return [...read(file).matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({ info, text }));
}

/** Commands that the page says can be run against a backend alone, each with the output that the page promises. */
function runnableBlocksOf(file: string): { command: string; output: string }[] {
  const blocks = blocksOf(file);
  return blocks.flatMap(({ info, text }, index) => {
    if (info !== 'bash run') return [];
    const next = blocks[index + 1];
    return [{ command: text, output: next?.info === 'text output' ? next.text : '' }];
  });
}

/** As GitHub makes the target of a link from a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(file: string): string[] {
  const withoutBlocks = read(file).replace(/^```[\s\S]*?^```$/gm, '');
  return [...withoutBlocks.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));
}

test.for(PAGES)('the links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  for (const link of links.filter((target) => !/^https?:/.test(target))) {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    expect(existsSync(file), link).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file), link).toContain(anchor);
  }
});

test.for([
  'docs/bill-api-requests.md',
  'docs/bill-llm-tokens.md',
  'docs/catalog.md',
  'docs/catalog-as-code.md',
  'docs/customers-and-subscriptions.md',
  'docs/enforce-entitlements.md',
  'docs/test-clock.md',
])('the commands of %s do what it says', async (page, { skip }) => {
  for (const program of ['curl', 'jq']) skip(findCommand(program) === undefined, `${program} is not installed`);
  const blocks = runnableBlocksOf(page);
  expect(blocks.length).toBeGreaterThan(2);
  expect(blocks.some(({ output }) => output !== '')).toBe(true);

  const dataDir = mkdtempSync(join(tmpdir(), 'documentation-'));
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN });
  const backend = await startBackend(config, createLogger('silent'));
  onTestFinished(async () => {
    await backend.stop();
    rmSync(dataDir, { recursive: true });
  });
  const script = ['set -euo pipefail', ...blocks.map(({ command }) => `${command}\necho '${BORDER}'`)].join('\n');
  const env = plainEnv({ METERING_URL: backend.url, METERING_TOKEN: TOKEN });
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
  const written = stdout.split(`${BORDER}\n`).slice(0, -1);
  // CSV lines end as RFC 4180 wants them.
  expect(written.map((text) => text.replaceAll('\r\n', '\n'))).toEqual(blocks.map(({ output }) => output));
});

test('what the README says works is shown by a test or a command that is there', () => {
  const table = /^## What works today\n\n([\s\S]*?)\n\n/m.exec(read('README.md'))?.[1] ?? '';
  const rows = table.split('\n').slice(2);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    const [, what = '', state = '', proof = ''] = row.split(/(?<!\\)\|/);
    if (state.trim() === 'not there') continue;
    const commands = [...proof.matchAll(/`npm run ([\w:-]+)`/g)].map(([, name = '']) => scripts[name]);
    const tests = [...proof.matchAll(/\]\((test\/[^)]+\.test\.ts)\)/g)].map(([, file = '']) => existsSync(file));
    expect(commands.length + tests.length, what).toBeGreaterThan(0);
    expect([...commands, ...tests], what).not.toContain(undefined);
    expect(tests, what).not.toContain(false);
  }
});

test('the settings of the plugin are described, every one', () => {
  const page = read('docs/configure-with-deck.md');
  const names = Schema.flatMap((field) => Object.entries(field)).flatMap(([name, rule]) =>
    rule.type === 'record'
      ? (rule.fields ?? []).flatMap((field) => Object.keys(field).map((inner) => `${name}.${inner}`))
      : [rule.type === 'array' ? `${name}[]` : name],
  );
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(page).toContain(`\`${name}\``);
});

test('the settings of the enforcing plugin are described, every one', () => {
  const page = read('docs/enforce-entitlements.md');
  const names = EnforcementSchema.flatMap((field) => Object.entries(field)).flatMap(([name, rule]) =>
    // A record of records, and what does nothing, as a whole.
    rule.type === 'record' && !NAMES_WITHOUT_EFFECT.includes(name) && name !== 'response_codes'
      ? (rule.fields ?? []).flatMap((inner) => Object.keys(inner).map((key) => `${name}.${key}`))
      : [name],
  );
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(page).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
});

test('the settings of the backend are described with their defaults', () => {
  const rows = [...read('docs/operate.md').matchAll(/^\| `([A-Z_]+)` \| (?:`(.*?)`|none) \|/gm)];
  const defaults = Object.fromEntries(rows.map(([, name = '', value = '']) => [name, value]));
  const { dataDir, ...documented } = loadConfig(defaults);
  const { dataDir: defaultDataDir, ...actual } = loadConfig({});
  expect(documented).toEqual(actual);
  expect(dataDir).toBe(defaultDataDir);
  expect(Object.keys(defaults).sort()).toEqual([...SETTING_NAMES].sort());
});

test('the metrics of the backend are described, every one, with its labels', () => {
  const rows = [...read('docs/operate.md').matchAll(/^\| ((?:`metering_backend_\w+`(?:, )?)+) \|(.*?)\|/gm)];
  const names = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  const documented = rows.flatMap(([, metrics = '', labels = '']) =>
    names(metrics).map((name) => [name, names(labels)]),
  );
  const registries = (['files', 'server'] as const).map((where) => {
    const { registry } = createMetrics();
    createGauges(registry, where);
    return registry;
  });
  const metrics = new Map(registries.flatMap((one) => one.getMetricsAsArray().map((metric) => [metric.name, metric])));
  // What the library keeps of a metric has its labels, which its types do not tell.
  const actual = [...metrics.values()].map((metric) => [
    metric.name,
    (metric as unknown as { labelNames: string[] }).labelNames,
  ]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(actual));
  expect(documented).toHaveLength(actual.length);
});

test('the lines for kong.conf are the settings of the image, but for the places', () => {
  const conf = blocksOf(INSTALL).find(({ text }) => text.includes('pluginserver_names'))?.text ?? '';
  const image = read('docker/kong/Dockerfile');
  const lines = [...conf.matchAll(/^(\w+) = (.+)$/gm)];
  expect(lines).toHaveLength(5);
  const withoutPlaces = (text: string) => text.replace(/\/\S*(?=\s|$)/g, 'PLACE');
  for (const [, name = '', value = ''] of lines) {
    const inImage = new RegExp(`KONG_${name.toUpperCase()}=(?:"([^"]+)"|(\\S+))`).exec(image);
    expect(withoutPlaces(inImage?.[1] ?? inImage?.[2] ?? ''), name).toBe(withoutPlaces(value));
  }
});

test('the lines for kong.conf with both plugins are the settings of the Compose file and the image, but for the places', () => {
  const conf = blocksOf('docs/enforce-entitlements.md').find(({ info }) => info === 'properties')?.text ?? '';
  const compose = read('docker-compose.enforcement.yml') + read('docker/kong/Dockerfile').replaceAll('=', ': ');
  const lines = [...conf.matchAll(/^(\w+) = (.+)$/gm)];
  expect(lines).toHaveLength(8);
  const withoutPlaces = (text: string) => text.replace(/[/"]\S*(?=\s|$)/g, 'PLACE').replaceAll(': ', '=');
  for (const [, name = '', value = ''] of lines) {
    const inCompose = new RegExp(`KONG_${name.toUpperCase()}: "?(.+?)(?:"? \\\\|"?)$`, 'm').exec(compose);
    expect(withoutPlaces(inCompose?.[1] ?? ''), name).toBe(withoutPlaces(value));
  }
});

/** Where the files of the page's commands stand in this project. */
const HERE = {
  '/usr/bin/node': process.execPath,
  '/opt/kong-js-plugins/': `${resolve('dist/plugin')}/`,
  '/opt/kong-plugin-server': resolve('dist/plugin-server'),
  '/opt/kong-js-pluginserver/bin': resolve('node_modules/kong-pdk/bin'),
};

test('both plugin servers describe the plugin as the page says', () => {
  const page = read(INSTALL);
  const commands = [...page.matchAll(/^pluginserver_js_query_cmd = (.+)$/gm)].map(([, command = '']) => command);
  const beginnings = [...page.matchAll(/begins with\s+`([^`]+)`/g)].map(([, beginning = '']) => beginning);
  expect([commands.length, beginnings.length]).toEqual([2, 2]);
  for (const [index, command] of commands.entries()) {
    const [program = '', ...args] = Object.entries(HERE)
      .reduce((text, [there, here]) => text.replaceAll(there, here), command)
      .split(' ');
    const { code, stdout, stderr } = run(program, args, { env: {}, cwd: '/' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(beginnings[index] ?? '?')).toBe(true);
    expect(stdout.split('\n')).toHaveLength(2);
  }
});

test("Kong's own plugin server is started with the same spool and socket as ours", () => {
  const page = read(INSTALL);
  const [ours = '', stock = ''] = [...page.matchAll(/^pluginserver_js_start_cmd = (.+)$/gm)].map(
    ([, line = '']) => line,
  );
  const spool = /METERING_SPOOL_DIR=\S+/.exec(ours)?.[0] ?? '?';
  expect(stock).toContain(spool);
  const [, folder, name] = /--socket (\S+)\/(\S+)$/.exec(ours) ?? [];
  expect(stock).toContain(`--kong-prefix ${folder} --sock-name ${name}`);
  const { version } = JSON.parse(read('node_modules/kong-pdk/package.json')) as { version: string };
  expect(page).toContain(`kong-pdk@${version}`);
});

test('the metrics of the plugin server are described, every one', () => {
  const page = read('docs/queue-on-disk.md');
  const names = [...read('plugin/delivery/prometheus.ts').matchAll(/'(metering_\w+)'/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(page).toContain(`\`${name}\``);
});

test('the settings of the plugin server are described with their defaults', () => {
  const rows = [...read('docs/queue-on-disk.md').matchAll(/^\| `(METERING_\w+)` \| (?:`([^`]*)`)?/gm)];
  const given = Object.fromEntries(
    rows.flatMap(([, name = '', value = '']) => (/^\w+$/.test(value) ? [[name, value]] : [])),
  );
  expect(rows).toHaveLength(11);
  delete given['METERING_SPOOL_DIR'];
  expect(Object.keys(given).length).toBeGreaterThan(4);
  expect(readConfig(given)).toEqual(readConfig({}));
});

test('the reasons of drops are described, every one that the delivery part has', () => {
  const page = read('docs/operate.md');
  const reasons = /LossReason = ([^;]+);/.exec(read('plugin/delivery/event-store.ts'))?.[1] ?? '';
  const names = [...reasons.matchAll(/'(\w+)'/g)].map(([, name = '']) => name);
  expect(names).toContain('spool_full');
  for (const name of names) expect(page).toContain(`| \`${name}\` |`);
});

test('behind each protection that the page on security names stands a test, code, or a page that leads to one', () => {
  const section = read('docs/security.md').split('## What is protected, and how')[1]?.split('\n### ')[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| attack ') && !line.startsWith('| ---'));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const [, , , behind = ''] = row.split(' | ').length === 3 ? ['', ...row.split(' | ')] : [];
    expect(behind, row).toMatch(/\]\((?:\.\.\/(?:test|backend|console)\/|[\w-]+\.md)/);
  }
});
