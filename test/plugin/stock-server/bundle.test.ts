import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigEntityChecks, Schema } from '../../../plugin/metering-and-billing/schema.ts';
import { type BuiltPlugin, buildPlugin } from '../../../scripts/build-plugin.ts';
import { STOCK_SERVER } from '../../gateway-player/index.ts';

const run = promisify(execFile);

let folder: string;
let built: BuiltPlugin;
let version: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-build-'));
  built = await buildPlugin(join(folder, 'metering-and-billing'));
  const manifest = await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8');
  ({ version } = JSON.parse(manifest) as { version: string });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the bundled plugin', () => {
  test('is one CommonJS file and says that it is', async () => {
    expect((await readdir(built.pluginDir)).sort()).toEqual(['index.js', 'package.json']);
    expect(await readFile(join(built.pluginDir, 'package.json'), 'utf8')).toBe('{"type":"commonjs"}\n');
  });

  test('is described to Kong by one line of JSON, and nothing else', async () => {
    const command = [STOCK_SERVER, '-d', built.pluginDir, '--dump-all-plugins'];
    const { stdout, stderr } = await run(process.execPath, command, { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual([
      {
        Name: 'metering-and-billing',
        Version: version,
        Phases: ['log'],
        Priority: 16,
        Schema: { name: 'metering-and-billing', fields: [{ config: { type: 'record', fields: Schema } }] },
      },
    ]);
  });

  test('exports what a plugin server needs, and the checks of the whole configuration', async () => {
    const script =
      'const p = require(process.argv[1]); console.log(JSON.stringify([Object.keys(p).sort(), p.ConfigEntityChecks]))';
    const { stdout } = await run(process.execPath, ['-e', script, built.pluginDir]);
    expect(JSON.parse(stdout)).toEqual([
      [
        'ConfigEntityChecks',
        'Name',
        'Plugin',
        'Prefetch',
        'Priority',
        'Schema',
        'Version',
        'isBehind',
        'otherGone',
        'settle',
      ],
      ConfigEntityChecks,
    ]);
  });

  test.each(['20.20.2', '22.18.0', '18.0.0'])('refuses Node %s before anything else', async (old) => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '${old}' });
      try { require(process.argv[1]); console.log('loaded'); } catch (error) { console.log(error.message); }`;
    const { stdout } = await run(process.execPath, ['-e', script, built.pluginDir]);
    expect(stdout).toBe(`The plugin metering-and-billing needs Node 22.19 or newer; this is Node ${old}\n`);
  });

  test.each(['22.19.0', '22.20.1', '24.0.0', '26.1.0'])('loads on Node %s without a word', async (recent) => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '${recent}' }); require(process.argv[1]);`;
    expect(await run(process.execPath, ['-e', script, built.pluginDir])).toEqual({ stdout: '', stderr: '' });
  });

  test('carries no dead weight', () => {
    const [output] = Object.values(built.metafile.outputs);
    const packages = new Set<string>();
    for (const [input, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
      const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
      if (name !== undefined && bytesInOutput > 0) packages.add(name);
    }
    for (const name of packages) expect(['undici', 'p-queue', 'p-timeout', 'eventemitter3']).toContain(name);
    // fetch, WebSocket and caches (undici's index) and its second parser alone would double the bundle.
    expect(Object.keys(output?.inputs ?? {}).filter((input) => /undici\/(index\.js|lib\/milo)/.test(input))).toEqual(
      [],
    );
    expect(output?.bytes).toBeLessThan(750_000);
  });
});
