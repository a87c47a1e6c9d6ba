import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPluginServer } from '../../../scripts/build-plugin.ts';
import { createProtobufProtocol, PLUGIN_SERVER, startPluginServer } from '../../gateway-player/index.ts';
import { ECHO, type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';

const run = promisify(execFile);

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder.remove());

describe('the bundled plugin server', () => {
  test('is one file that needs nothing beside it', async () => {
    const file = join(folder.path, 'built', 'server.cjs');
    const metafile = await buildPluginServer(file);
    const alone = join(folder.path, 'alone.cjs');
    await copyFile(file, alone);
    const pluginDir = await writePlugin(folder, 'echo', ECHO);
    const server = await startPluginServer({ program: alone, pluginDir, workers: 2 });
    const kong = createProtobufProtocol(server.socketPath, 1);
    await kong.handleEvent(await kong.startInstance('echo', { say: 'alone' }), 'log', () => 'entry');
    kong.close();
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    expect(server.stderr()).toContain('<alone entry>');

    const [output] = Object.values(metafile.outputs);
    const packages = new Set<string>();
    for (const [input, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
      const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
      if (name !== undefined && bytesInOutput > 0) packages.add(name);
    }
    expect([...packages].sort()).toEqual(['long', 'protobufjs']);
    // protobufjs with its parser and reflection would be twice this alone.
    expect(output?.bytes).toBeLessThan(250_000);
  });

  test.each([
    ['20.20.2', 'The plugin server needs Node 22.19 or newer; this is Node 20.20.2\n'],
    ['22.18.0', 'The plugin server needs Node 22.19 or newer; this is Node 22.18.0\n'],
    ['22.19.0', 'Usage: kong-plugin-server'],
    ['24.0.0', 'Usage: kong-plugin-server'],
  ])('says so on a Node that is too old: %s', async (version, expected) => {
    const script = `Object.defineProperty(process.versions, 'node', { value: '${version}' });
      process.argv.splice(1, 1, 'server', '--help');
      try { require('${PLUGIN_SERVER}'); } catch (error) { console.log(error.message); }`;
    const { stdout } = await run(process.execPath, ['-e', script, 'replaced']);
    expect(stdout).toContain(expected);
  });
});
