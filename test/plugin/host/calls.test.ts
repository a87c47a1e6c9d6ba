import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { framesOf } from '../../../plugin/host/frames.ts';
import { createProtobufProtocol } from '../../gateway-player/index.ts';
import { decodeMessage, type Message } from '../../gateway-player/protobuf-messages.ts';
import { callFrame, eventFrame, textFrame } from './support/frames.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';
import { openRawConnection, type RawConnection } from './support/raw-connection.ts';

const FIRST_ID = 1000;
const EMPTY = Buffer.alloc(0);

/** Does in its log phase what its configuration says. */
const PLUGIN = `
const { seen } = globalThis;
exports.Version = '1.2.3';
exports.Priority = 16;
exports.Schema = [{ say: { type: 'string' } }];
exports.Plugin = class {
  constructor(config) {
    if (config.fail) throw new Error(config.fail);
    this.config = config;
  }
  async log(kong) {
    const { say, late, escape } = this.config;
    if (late) { setImmediate(() => kong.log.serialize().catch((error) => seen.caller.push(String(error)))); return; }
    if (escape) { void kong.log.serialize().then((entry) => seen.caller.push(entry)); return; }
    seen.caller.push([say, await kong.log.serialize().catch(String)]);
  }
};`;

let host: HostInProcess;
let connection: RawConnection;
let received = 0;
let sequence = 0;

beforeEach(async () => {
  host = await startHost('caller', PLUGIN, FIRST_ID);
  connection = await openRawConnection(host.socketPath);
  received = 0;
  sequence = 2 ** 40;
});

afterEach(async () => {
  connection.close();
  await host.close();
});

/** The answer to a call that is answered with one frame. */
async function call(method: string, args: Message = {}): Promise<Message> {
  connection.write(callFrame(++sequence, method, args));
  const frames = await connection.received(++received);
  const answer = decodeMessage('RpcReturn', frames.at(-1) ?? EMPTY);
  expect(answer['sequence']).toBe(sequence);
  const { sequence: _sequence, ...rest } = answer;
  return rest;
}

const start = (config: object): Promise<Message> =>
  call('cmd_start_instance', { name: 'caller', config: Buffer.from(JSON.stringify(config)) });

/** What the plugin server says when it closes the connection. */
async function lastWords(): Promise<readonly string[]> {
  await connection.closed;
  return connection.frames().slice(received).map(String);
}

describe('a call', () => {
  test('starts an instance, tells of it, and closes it', async () => {
    const status = { name: 'caller', instance_id: FIRST_ID, started_at: expect.any(Number) };
    expect(await start({})).toEqual({ instance_status: status });
    expect(await call('cmd_get_instance_status', { instance_id: FIRST_ID })).toEqual({ instance_status: status });
    expect(await call('cmd_close_instance', { instance_id: FIRST_ID })).toEqual({ instance_status: status });
    expect(await call('cmd_get_instance_status', { instance_id: FIRST_ID })).toEqual({});
    expect(await call('cmd_close_instance', { instance_id: FIRST_ID })).toEqual({});
  });

  test('tells of the plugin', async () => {
    expect(await call('cmd_get_plugin_names')).toEqual({ plugin_names: { names: ['caller'] } });
    const { plugin_info: info } = await call('cmd_get_plugin_info', { name: 'caller' });
    const schema = { name: 'caller', fields: [{ config: { type: 'record', fields: [{ say: { type: 'string' } }] } }] };
    expect(info).toEqual({
      name: 'caller',
      loaded_at: expect.any(Number),
      phases: ['log'],
      version: '1.2.3',
      priority: 16,
      schema: JSON.stringify(schema),
    });
    expect(await call('cmd_get_plugin_info', { name: 'other' })).toEqual({});
  });

  test('of another version of the protocol is answered, and the connection is closed', async () => {
    expect(await call('cmd_of_the_future')).toEqual({});
    expect(await lastWords()).toEqual([]);
  });

  test('that comes before the answer to another waits for it', async () => {
    const calls = Array.from({ length: 10 }, (_, number) =>
      callFrame(number + 1, 'cmd_start_instance', { name: 'caller', config: Buffer.from('{}') }),
    );
    connection.write(Buffer.concat(calls));
    const answers = (await connection.received(10)).map((frame) => decodeMessage('RpcReturn', frame));
    expect(
      answers.map((answer) => [answer['sequence'], (answer['instance_status'] as Message)['instance_id']]),
    ).toEqual(Array.from({ length: 10 }, (_, number) => [number + 1, FIRST_ID + number]));
  });
});

describe('the connection is closed', () => {
  test.each([
    ['no protobuf', framesOf(Buffer.from('ffffffff', 'hex'))],
    ['a call that ends behind its frame', framesOf(Buffer.from('0803a202ff', 'hex'))],
    ['more than a frame may have', Buffer.from('01000004', 'hex')],
    ['the other protocol', Buffer.from('940001ac706c7567696e2e', 'hex')],
  ])('on %s', async (_what, bytes) => {
    connection.write(bytes);
    expect(await lastWords()).toEqual([]);
    expect(host.logged).toEqual([expect.objectContaining({ level: 'error', msg: 'a connection was closed' })]);
  });

  test('on calls without end that wait for no answer', async () => {
    await start({});
    connection.write(Buffer.concat(Array.from({ length: 100 }, () => callFrame(1, 'cmd_get_plugin_names', {}))));
    await connection.closed;
  });

  test.each([
    [
      'its constructor throws',
      'caller',
      '{"fail":"secret"}',
      { error: 'Error', at: expect.stringContaining('caller.cjs') },
    ],
    ['the configuration is no JSON', 'caller', '{"secret', { error: 'SyntaxError' }],
    ['the plugin is another one', 'other', '{}', { cause: 'there is no plugin other' }],
  ])('when an instance cannot be started: %s', async (_why, name, json, logged) => {
    connection.write(callFrame(1, 'cmd_start_instance', { name, config: Buffer.from(json) }));
    expect(await lastWords()).toEqual([]);
    expect(host.logged).toEqual([expect.objectContaining({ msg: 'an instance could not be started', ...logged })]);
    expect(JSON.stringify(host.logged)).not.toContain('secret');
  });
});

describe('an event', () => {
  test('of an instance that is not there says so in words that Kong looks for', async () => {
    await start({});
    connection.write(eventFrame(3, FIRST_ID + 1));
    expect(await lastWords()).toEqual([`no plugin instance #${FIRST_ID + 1}`, '']);
  });

  test('of an instance that was closed says so', async () => {
    await start({});
    await call('cmd_close_instance', { instance_id: FIRST_ID });
    connection.write(eventFrame(3, FIRST_ID));
    expect(await lastWords()).toEqual([`no plugin instance #${FIRST_ID}`, '']);
  });

  test('of a phase that the plugin does not have says so', async () => {
    await start({});
    connection.write(eventFrame(3, FIRST_ID, 'access'));
    expect(await lastWords()).toEqual(['the plugin has no phase access', '']);
  });

  test.each(['constructor', '__proto__', 'toString', ''])('never runs what is no phase: %j', async (phase) => {
    await start({});
    connection.write(eventFrame(3, FIRST_ID, phase));
    expect(await lastWords()).toEqual([`the plugin has no phase ${phase}`, '']);
  });

  test('of one configuration never sees another', async () => {
    for (const say of ['a', 'b', 'c']) await start({ say });
    for (const [index, say] of ['b', 'c', 'a', 'b'].entries()) {
      connection.write(eventFrame(index, FIRST_ID + 'abc'.indexOf(say)));
      await connection.received(3 + 4 * index + 2);
      connection.write(textFrame(`entry ${index}`));
      await connection.received(3 + 4 * index + 4);
    }
    expect(host.seen).toEqual([
      ['b', 'entry 0'],
      ['c', 'entry 1'],
      ['a', 'entry 2'],
      ['b', 'entry 3'],
    ]);
  });

  test('ends when the plugin is done, though a call was not waited for', async () => {
    await start({ escape: true });
    connection.write(eventFrame(3, FIRST_ID));
    const frames = await connection.received(5);
    expect(frames.slice(1).map((frame) => frame.toString('latin1'))).toEqual(['kong.log.serialize', '', '', '\b\x03']);
    connection.write(Buffer.concat([textFrame('entry'), callFrame(4, 'cmd_get_plugin_names', {})]));
    expect(decodeMessage('RpcReturn', (await connection.received(6))[5] ?? EMPTY)).toMatchObject({ sequence: 4 });
    expect(host.seen).toEqual(['entry']);
  });

  test('that is over takes no more calls', async () => {
    await start({ late: true });
    connection.write(eventFrame(3, FIRST_ID));
    await connection.received(3);
    await expect
      .poll(() => host.seen)
      .toEqual(['PDKError: kong.log.serialize was called after the log phase was over']);
    expect(connection.frames()).toHaveLength(3);
  });

  test('fails the calls that wait when Kong goes away', async () => {
    await start({});
    connection.write(eventFrame(3, FIRST_ID));
    await connection.received(3);
    connection.close();
    await expect
      .poll(() => host.seen)
      .toEqual([
        [
          undefined,
          'PDKError: kong.log.serialize was not answered: the connection was closed before Kong had answered',
        ],
      ]);
  });
});

describe('an exception of the plugin', () => {
  test.each([
    ['thrown at once', 'log() { throw new TypeError(ENTRY); }'],
    ['thrown later', 'async log(kong) { await kong.log.serialize(); throw new TypeError(ENTRY); }'],
    ['of a parser', 'async log(kong) { JSON.parse(await kong.log.serialize()); }'],
  ])('%s is logged without what it says, and rarely, and the connection goes on', async (_how, method) => {
    const failing = await startHost(
      'failing',
      `const ENTRY = 'the secret entry\\n    at secret (secret:1:1)'; exports.Plugin = class { ${method} };`,
      FIRST_ID,
    );
    const kong = createProtobufProtocol(failing.socketPath, 1);
    const instance = await kong.startInstance('failing', {});
    for (let event = 0; event < 20; event++) await kong.handleEvent(instance, 'log', () => 'the secret');
    expect(failing.logged).toHaveLength(1);
    expect(failing.logged[0]).toMatchObject({ level: 'error', msg: 'the plugin failed', phase: 'log' });
    expect(failing.logged[0]).toMatchObject({ error: expect.stringMatching(/^(Type|Syntax)Error$/) });
    expect(failing.logged[0]).toMatchObject({ at: expect.stringContaining('failing.cjs:1:') });
    expect(JSON.stringify(failing.logged)).not.toContain('secret');
    kong.close();
    await failing.close();
  });
});

describe('the end', () => {
  test('waits for what is under way, and closes what is not', async () => {
    await start({ say: 'last' });
    const idle = await openRawConnection(host.socketPath);
    connection.write(eventFrame(3, FIRST_ID));
    await connection.received(3);
    const stopped = host.stop();
    await idle.closed;
    connection.write(textFrame('entry'));
    await stopped;
    await connection.closed;
    expect(connection.frames()).toHaveLength(5);
    expect(host.seen).toEqual([['last', 'entry']]);
  });

  test('does not wait for ever', async () => {
    await start({});
    connection.write(eventFrame(3, FIRST_ID));
    await connection.received(3);
    await host.stop();
    expect(host.seen).toEqual([]);
  });
});
