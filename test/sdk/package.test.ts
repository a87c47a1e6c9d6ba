import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../backend/main.ts';
import { createLogger } from '../../backend/platform/log.ts';

/** What somebody who installs the package writes. */
const PROGRAM = `import { answerOf, ApiProblem, createClient, itemsOf, type components } from 'kong-metering-and-billing-sdk';

const client = createClient({ url: process.argv[2] ?? '', token: 'token-of-the-sdk-test', timeoutMs: 30_000 });
const body: components['schemas']['CreateMeterRequest'] = {
  key: 'calls', name: 'Calls', aggregation: 'count', event_type: 'call',
};
const meter = await answerOf(client.POST('/v3/openmeter/meters', { body }));
for (let number = 1; number <= 101; number++) {
  await answerOf(client.POST('/v3/openmeter/customers', { body: { key: 'c' + number, name: 'Customer ' + number } }));
}
const customers = new Set<string>();
for await (const { key } of itemsOf((query) => answerOf(client.GET('/v3/openmeter/customers', { params: { query } })))) {
  customers.add(key);
}
const refusal = await answerOf(client.GET('/v3/openmeter/meters/{meterId}', { params: { path: { meterId: 'none' } } })).then(
  () => undefined,
  (error: unknown) => (error instanceof ApiProblem ? { status: error.status, message: error.message } : error),
);
console.log(JSON.stringify({ created: meter.key, customers: customers.size, refusal }));
`;
/** The same with a field that the API does not have. */
const WRONG_PROGRAM = `import { answerOf, createClient } from 'kong-metering-and-billing-sdk';
const client = createClient({ url: '' });
const meter = await answerOf(client.GET('/v3/openmeter/meters/{meterId}', { params: { path: { meterId: '' } } }));
console.log(meter.currency);
`;

let folder: string;
let backend: RunningBackend;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sdk-'));
  const config = loadConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', ADMIN_TOKEN: 'token-of-the-sdk-test' });
  backend = await startBackend(config, createLogger('silent'));
  installPackage();
});
afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true });
});

/** Packs what is built and unpacks it where an installation would; its one dependency is the one that we have. */
function installPackage(): void {
  execFileSync(process.execPath, ['scripts/build-sdk.ts'], { stdio: ['ignore', 'ignore', 'inherit'] });
  cpSync('sdk', join(folder, 'sdk'), { recursive: true });
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: join(folder, 'sdk') });
  const [{ filename }] = JSON.parse(packed.toString());
  const installed = join(folder, 'node_modules/kong-metering-and-billing-sdk');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', installed]);
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types']) {
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'right.ts'), PROGRAM);
  writeFileSync(join(folder, 'wrong.ts'), WRONG_PROGRAM);
}

/** What the compiler says of the programs, a line for each error, with our own declarations checked too. */
function compile(...files: string[]): string[] {
  const settings = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const args = [resolve('node_modules/typescript/bin/tsc'), ...settings, ...files];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

test('the packed client has types that let right programs pass and wrong ones not', () => {
  expect(compile('right.ts', 'wrong.ts')).toEqual([
    expect.stringMatching(/^wrong\.ts\(4,\d+\): error TS2339: Property 'currency' does not exist/),
  ]);
});

test('it calls a real backend: creates, lists page by page, and throws what was refused', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['right.ts', backend.url], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    created: 'calls',
    customers: 101,
    refusal: { status: 404, message: '/v3/openmeter/meters/none: 404: entity not found: none' },
  });
});

test('it is released with the version of the project and asks for the library that we test with', () => {
  const own = JSON.parse(readFileSync('sdk/package.json', 'utf8'));
  const project = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(own.version).toBe(project.version);
  expect(own.dependencies).toEqual({ 'openapi-fetch': project.dependencies['openapi-fetch'] });
});
