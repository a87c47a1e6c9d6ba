import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigEntityChecks, Schema } from '../../../plugin/metering-and-billing/schema.ts';
import { PLUGIN_SERVER } from '../../gateway-player/index.ts';
import { ECHO, type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SOURCE = join(ROOT, 'bin', 'kong-plugin-server.js');
const BUILT_PLUGIN = join(ROOT, 'dist', 'plugin', 'metering-and-billing');

let folder: TemporaryFolder;
let echo: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  echo = await writePlugin(folder, 'echo', ECHO);
});

afterAll(() => folder.remove());

interface Ran {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, ...args: string[]): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  execFile(process.execPath, [program, ...args], { cwd: folder.path }, (error, stdout, stderr) =>
    resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
  );
  return promise;
}

describe.each([
  ['the built server', PLUGIN_SERVER],
  ['its sources', SOURCE],
])('%s', (_what, program) => {
  test('describes the plugin to Kong in one line', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { code, stdout, stderr } = await run(program, '--plugin', BUILT_PLUGIN, '--dump-all-plugins');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toHaveLength(2);
    const config = { type: 'record', fields: Schema, entity_checks: ConfigEntityChecks };
    const plugin = {
      Name: 'metering-and-billing',
      Version: version,
      Phases: ['log'],
      Priority: 16,
      Schema: { name: 'metering-and-billing', fields: [{ config }] },
    };
    expect(stdout).toBe(`${JSON.stringify({ Protocol: 'ProtoBuf:1', Plugins: [plugin] })}\n`);
  });

  test('explains itself', async () => {
    const { code, stdout, stderr } = await run(program, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of ['--plugin', '--socket', '--workers', '--dump-all-plugins']) expect(stdout).toContain(option);
  });

  test.each([
    [[], '--plugin is missing'],
    [['--plugin', 'x'], '--socket is missing'],
    [['--plugin', '', '--socket', 's'], '--plugin must name a file or a folder'],
    [['--plugin', 'x', '--socket', 's', '--workers', '0'], '--workers must be a whole number from 1 to 64'],
    [['--plugin', 'x', '--socket', 's', '--workers', '65'], '--workers must be a whole number from 1 to 64'],
    [['--plugin', 'x', '--socket', 's', '--workers', '1e1'], '--workers must be a whole number from 1 to 64'],
    [['--plugin', 'x', '--prefix', '/'], "Unknown option '--prefix'"],
    [['x'], "Unexpected argument 'x'"],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stdout, stderr } = await run(program, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`kong-plugin-server: ${message}`);
    expect(stderr).toContain('--help');
  });
});

describe('the description of a plugin', () => {
  test('is alone on standard output, whatever the plugin prints while it loads', async () => {
    const noisy = await writePlugin(folder, 'noisy', `console.log('noise'); process.stdout.write('more'); ${ECHO}`);
    const { code, stdout, stderr } = await run(PLUGIN_SERVER, '--plugin', noisy, '--dump-all-plugins');
    expect(JSON.parse(stdout)).toMatchObject({ Plugins: [{ Name: 'echo', Version: '1.2.3', Phases: ['log'] }] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'noise\nmore' });
  });

  test('ends though the plugin keeps the process busy', async () => {
    const busy = await writePlugin(folder, 'busy', `setInterval(() => 0, 1000); ${ECHO}`);
    expect(await run(PLUGIN_SERVER, '--plugin', busy, '--dump-all-plugins')).toMatchObject({ code: 0 });
  });

  test('has defaults for what the module does not say, and phases in the order of Kong', async () => {
    const path = join(folder.path, 'My-Plugin');
    await mkdir(path);
    const source = 'exports.Plugin = class { access() {} log() {} helper() {} rewrite() {} };';
    await writeFile(join(path, 'index.js'), source);
    const { stdout } = await run(PLUGIN_SERVER, '--plugin', 'My-Plugin', '--dump-all-plugins');
    const config = { type: 'record', fields: [] };
    expect(JSON.parse(stdout)).toEqual({
      Protocol: 'ProtoBuf:1',
      Plugins: [
        {
          Name: 'my-plugin',
          Phases: ['rewrite', 'log', 'access'],
          Priority: 0,
          Schema: { name: 'my-plugin', fields: [{ config }] },
        },
      ],
    });
  });

  test('may come from an ES module', async () => {
    const path = join(folder.path, 'module.mjs');
    await writeFile(path, "export const Name = 'modern'; export class Plugin { log() {} }");
    const { stdout } = await run(PLUGIN_SERVER, '--plugin', path, '--dump-all-plugins');
    expect(JSON.parse(stdout)).toMatchObject({ Plugins: [{ Name: 'modern' }] });
  });
});

describe('a start that cannot work', () => {
  const socket = (): string => join(folder.path, 'kong.sock');

  test('for want of a plugin', async () => {
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', 'absent', '--socket', socket());
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `kong-plugin-server: there is no plugin at ${join(folder.path, 'absent')}\n`,
    });
  });

  test.each([
    ['exports no class named Plugin', 'exports.Name = "x"'],
    ['the plugin has none of the methods', 'exports.Plugin = class {}'],
  ])('for a module that is no plugin: %s', async (message, source) => {
    const path = await writePlugin(folder, 'no-plugin', source);
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', path, '--socket', socket(), '--workers', '2');
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  test('for a module that fails, with the place', async () => {
    const path = await writePlugin(folder, 'failing', 'throw new Error("it rains")');
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', path, '--socket', socket());
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kong-plugin-server: Error: it rains\n\s+at .*failing\.cjs:1/);
  });

  test('for a path that is no socket, which stays what it is', async () => {
    const path = join(folder.path, 'precious');
    await writeFile(path, 'data');
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', echo, '--socket', path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `kong-plugin-server: ${path} exists and is no socket\n` });
    expect(await readFile(path, 'utf8')).toBe('data');
  });

  test('for a folder that does not exist', async () => {
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', echo, '--socket', '/absent/folder/kong.sock');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'kong-plugin-server: there is no folder /absent/folder for the socket\n',
    });
  });

  test('for a path that the system would cut off', async () => {
    const path = join(folder.path, 'x'.repeat(100));
    const { code, stderr } = await run(PLUGIN_SERVER, '--plugin', echo, '--socket', path);
    expect(code).toBe(1);
    expect(stderr).toContain('more than the 107 bytes that the system allows');
  });
});
