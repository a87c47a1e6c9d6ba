import { afterEach, describe, expect, test } from 'vitest';
import { loadPlugin } from '../../../plugin/host/plugin-module.ts';
import { decodeMessage } from '../../gateway-player/protobuf-messages.ts';
import { callFrame, eventFrame, textFrame } from './support/frames.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';
import { temporaryFolder, writePlugin } from './support/probe-plugin.ts';
import { openRawConnection, type RawConnection } from './support/raw-connection.ts';

/** Keeps what the calls of `body` come to; `kong` is there. */
const plugin = (body: string, prefetch: string): string => `
const { seen } = globalThis;
exports.Plugin = class { async log(kong) { seen.probe.push(await (async () => { ${body} })().catch(String)); } };
exports.Prefetch = ${prefetch};`;

let host: HostInProcess;
let connection: RawConnection;

async function start(body: string, prefetch = `{ log: ['kong.log.serialize'] }`): Promise<void> {
  host = await startHost('probe', plugin(body, prefetch), 7);
  connection = await openRawConnection(host.socketPath);
  connection.write(callFrame(2, 'cmd_start_instance', { name: 'probe', config: Buffer.from('{}') }));
  await connection.received(1);
}

const ANSWERED = ['kong.log.serialize', '', '', '0803'];

describe('calls that are made in advance', () => {
  afterEach(async () => {
    connection.close();
    await host.close();
  });

  test('leave with the end of the event, before the plugin runs', async () => {
    await start('return kong.log.serialize();');
    connection.write(eventFrame(3, 7));
    const [, name, args, end, answer] = await connection.received(5);
    expect([name?.toString(), args?.toString(), end?.toString(), answer?.toString('hex')]).toEqual(ANSWERED);
    expect(host.seen).toEqual([]);
    connection.write(textFrame('entry'));
    await expect.poll(() => host.seen).toEqual(['entry']);
    expect(connection.frames()).toHaveLength(5);
  });

  test('are answered as often as the plugin asks', async () => {
    await start('return [await kong.log.serialize(), await kong.log.serialize()];');
    connection.write(Buffer.concat([eventFrame(3, 7), textFrame('entry')]));
    await expect.poll(() => host.seen).toEqual([['entry', 'entry']]);
  });

  test('may be several, and have their default arguments', async () => {
    await start(
      'return [await kong.request.getHeaders(), await kong.log.serialize()];',
      `{ log: ['kong.log.serialize', 'kong.request.getHeaders'] }`,
    );
    connection.write(eventFrame(3, 7));
    const frames = (await connection.received(7)).slice(1);
    expect(frames.slice(0, 3).map(String)).toEqual(['kong.log.serialize', '', 'kong.request.get_headers']);
    expect(decodeMessage('Int', frames[3] ?? Buffer.alloc(0))).toEqual({ v: 100 });
    connection.write(textFrame('entry'));
    connection.write(Buffer.alloc(4));
    await expect.poll(() => host.seen).toEqual([[{}, 'entry']]);
  });

  test('are all that the plugin can call', async () => {
    await start(`return [
      await kong.request.getHeader('a').catch(String), await kong.log.serialize('a').catch(String),
      await kong.vault.get('x').catch(String)];`);
    connection.write(Buffer.concat([eventFrame(3, 7), textFrame('entry')]));
    await expect.poll(() => host.seen).toHaveLength(1);
    expect(host.seen[0]).toEqual([
      expect.stringMatching(/^PDKError: kong.request.get_header was called in the log phase, for which the plugin/),
      expect.stringMatching(/^PDKError: kong.log.serialize was called in the log phase, for which the plugin/),
      expect.stringMatching(/^PDKError: kong.vault.get was called in the log phase, but Kong does not offer it/),
    ]);
    expect(connection.frames()).toHaveLength(5);
  });

  test('fail when Kong closes the connection instead', async () => {
    await start('return kong.log.serialize();');
    connection.write(eventFrame(3, 7));
    await connection.received(5);
    connection.close();
    await expect.poll(() => host.seen).toHaveLength(1);
    expect(host.seen[0]).toBe(
      'PDKError: kong.log.serialize was not answered: the connection was closed before Kong had answered',
    );
  });

  test('fail when the answer cannot be read, or is too large to be read', async () => {
    await start('return kong.log.serialize();');
    connection.write(eventFrame(3, 7));
    connection.write(Buffer.from('020000000aff', 'hex'));
    await expect.poll(() => host.seen).toHaveLength(1);
    expect(host.seen[0]).toMatch(/^PDKError: kong.log.serialize was answered with: index out of range/);
    connection.write(eventFrame(4, 7));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(64 * 1024 * 1024 + 1);
    connection.write(length);
    await expect.poll(() => host.seen).toHaveLength(2);
    expect(host.seen[1]).toMatch(/^PDKError: kong.log.serialize was not answered: a reply of 67108865 bytes was ref/);
  });

  test('belong to the events in their order when Kong goes on at once', async () => {
    await start('return kong.log.serialize();');
    const events = Array.from({ length: 50 }, (_, number) => [eventFrame(number + 3, 7), textFrame(`entry ${number}`)]);
    connection.write(Buffer.concat(events.flat()));
    const frames = await connection.received(1 + 4 * 50);
    const sequences = frames.filter((_, index) => index > 0 && index % 4 === 0);
    expect(sequences.map((frame) => decodeMessage('RpcReturn', frame)['sequence'])).toEqual(
      Array.from({ length: 50 }, (_, number) => number + 3),
    );
    await expect.poll(() => host.seen).toHaveLength(50);
    expect(host.seen).toEqual(Array.from({ length: 50 }, (_, number) => `entry ${number}`));
  });
});

describe('what cannot be made in advance is refused when the plugin is loaded', () => {
  test.each([
    [`{ log: ['kong.request.getMethod'] }`, 'kong.request.get_method cannot be called in the log phase'],
    [`{ log: ['kong.request.getHeader'] }`, 'kong.request.get_header was called with wrong arguments'],
    [`{ log: ['kong.vault.get'] }`, 'kong.vault.get, which Kong does not offer'],
    [`{ access: ['kong.log.serialize'] }`, 'the phase access, for which the plugin has no method'],
    [`{ log: 'kong.log.serialize' }`, 'Prefetch.log must be a list of calls'],
    [`'kong.log.serialize'`, 'Prefetch must map phases to lists of calls'],
  ])('%s', async (prefetch, message) => {
    const folder = await temporaryFolder();
    const path = await writePlugin(
      folder,
      'probe',
      `exports.Plugin = class { log() {} }; exports.Prefetch = ${prefetch}`,
    );
    expect(() => loadPlugin(path)).toThrow(message);
    await folder.remove();
  });
});
