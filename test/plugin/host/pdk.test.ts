import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCall, type Kong, refusalOf } from '../../../plugin/host/pdk.ts';
import { createProtobufProtocol, type PdkAnswer } from '../../gateway-player/index.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';

/** Runs, in whatever phase, the function that its configuration names, and keeps what came of it. */
const RUNNER = `
const { seen } = globalThis;
const phase = async function (kong) {
  try { seen.runner.push({ value: await globalThis.run[this.name](kong) }); }
  catch (error) { seen.runner.push({ error: String(error) }); }
};
exports.Plugin = class { constructor({ name }) { this.name = name; } };
for (const name of ['log', 'access', 'rewrite']) exports.Plugin.prototype[name] = phase;
`;

interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
}

let host: HostInProcess;

beforeAll(async () => {
  host = await startHost('runner', RUNNER);
});

afterAll(() => host.close());

/** What a plugin's calls come to, over the wire. @param answer what Kong answers */
async function outcomeOf(
  phase: string,
  run: (kong: Kong) => unknown,
  answer: PdkAnswer = () => undefined,
): Promise<Outcome> {
  const shared = globalThis as { run?: Record<string, unknown> };
  shared.run = { case: run };
  const protocol = createProtobufProtocol(host.socketPath, 1);
  const instance = await protocol.startInstance('runner', { name: 'case' });
  await protocol.handleEvent(instance, phase, answer);
  protocol.close();
  const [outcome] = host.seen.splice(0);
  return outcome as Outcome;
}

/** Records the call and answers it. */
function answering(result: unknown): { calls: unknown[]; answer: PdkAnswer } {
  const calls: unknown[] = [];
  return {
    calls,
    answer(name, args) {
      calls.push([name, ...args]);
      return result;
    },
  };
}

const HEADERS = { host: 'a', 'x-multi': ['1', '2'], __proto__x: 'p', nested: { deep: [1, true, { x: 'y' }] } };
const CONSUMER = { id: 'c', created_at: 1_795_226_439, username: 'alice', custom_id: 'cust', tags: ['gold', 'eu'] };

describe('a call', () => {
  const cases: [string, (kong: Kong) => unknown, unknown[], unknown, unknown?][] = [
    ['of a text', (kong) => kong.log.serialize(), ['kong.log.serialize'], '{"é":"€"}'],
    ['with nothing', (kong) => kong.log.serialize(), ['kong.log.serialize'], undefined],
    ['with an argument', (kong) => kong.request.get_header('x'), ['kong.request.get_header', 'x'], 'v'],
    ['in camel case', (kong) => kong.request.getHeader('x'), ['kong.request.get_header', 'x'], 'v'],
    ['with a default', (kong) => kong.request.get_headers(), ['kong.request.get_headers', 100], HEADERS],
    ['with a number', (kong) => kong.request.getHeaders(5), ['kong.request.get_headers', 5], {}],
    ['of a number', (kong) => kong.response.get_status(), ['kong.response.get_status'], 499],
    ['of a fraction', (kong) => kong.nginx.req_start_time(), ['kong.nginx.req_start_time'], 1_795_226_466.278],
    ['of a flag', (kong) => kong.ip.isTrusted('::1'), ['kong.ip.is_trusted', '::1'], true],
    ['of a flag that is not set', (kong) => kong.ip.is_trusted('::1'), ['kong.ip.is_trusted', '::1'], false],
    ['of an entity', (kong) => kong.client.getConsumer(), ['kong.client.get_consumer'], CONSUMER],
    ['of no entity', (kong) => kong.client.getConsumer(), ['kong.client.get_consumer'], undefined],
    [
      'with a flag',
      (kong) => kong.client.loadConsumer('alice', true),
      ['kong.client.load_consumer', 'alice', true],
      CONSUMER,
    ],
    [
      'with a key and a value',
      (kong) => kong.ctx.shared.set('key', { list: [1, 'two', false], none: {} }),
      ['kong.ctx.shared.set', 'key', { list: [1, 'two', false], none: {} }],
      undefined,
    ],
    ['of any value', (kong) => kong.ctx.shared.get('key'), ['kong.ctx.shared.get', 'key'], [1, { a: ['b'] }]],
    ['of the value nil', (kong) => kong.ctx.shared.get('key'), ['kong.ctx.shared.get', 'key'], undefined],
    ['with a list', (kong) => kong.log.info('a', 1, { b: true }), ['kong.log.info', 'a', 1, { b: true }], undefined],
    [
      'of captures',
      (kong) => kong.request.getUriCaptures(),
      ['kong.request.get_uri_captures'],
      { unnamed: [Buffer.from('a'), Buffer.from('b')], named: { x: Buffer.from('y') } },
      { unnamed: ['a', 'b'], named: { x: 'y' } },
    ],
  ];

  test.each(cases)('%s', async (_what, run, expectedCall, result, expected = result) => {
    const { calls, answer } = answering(result);
    expect(await outcomeOf('log', run, answer)).toEqual({ value: expected });
    expect(calls).toEqual([expectedCall]);
  });

  const accessCases: typeof cases = [
    [
      'of a body',
      (kong) => kong.request.getRawBody(),
      ['kong.request.get_raw_body'],
      '{"k":1}',
      Buffer.from('{"k":1}'),
    ],
    [
      'with bytes',
      (kong) => kong.service.request.setRawBody('é'),
      ['kong.service.request.set_raw_body', Buffer.from('é')],
      undefined,
    ],
    ['with two', (kong) => kong.service.setTarget('h', 80), ['kong.service.set_target', 'h', 80], undefined],
    [
      'with a record',
      (kong) => kong.response.setHeaders({ a: 'b' }),
      ['kong.response.set_headers', { a: 'b' }],
      undefined,
    ],
    [
      'of part of an entity',
      (kong) => kong.router.getService(),
      ['kong.router.get_service'],
      { id: 's', port: 80, host: 'h' },
    ],
    [
      'with two entities',
      (kong) => kong.client.authenticate(CONSUMER, { id: 'k', consumer_id: 'c' }),
      ['kong.client.authenticate', CONSUMER, { id: 'k', consumer_id: 'c' }],
      undefined,
    ],
    [
      'with one of two',
      (kong) => kong.client.authenticate(null, { id: 'k' }),
      ['kong.client.authenticate', undefined, { id: 'k' }],
      undefined,
    ],
  ];

  test.each(accessCases)('%s in the access phase', async (_what, run, expectedCall, result, expected = result) => {
    const { calls, answer } = answering(result);
    expect(await outcomeOf('access', run, answer)).toEqual({ value: expected });
    expect(calls).toEqual([expectedCall]);
  });

  test('may be made several at a time', async () => {
    const run = (kong: Kong): unknown =>
      Promise.all([kong.request.getHeader('a'), kong.response.getStatus(), kong.request.getHeader('b')]);
    const answer: PdkAnswer = (name, [header]) => (name === 'kong.response.get_status' ? 200 : `value of ${header}`);
    expect(await outcomeOf('log', run, answer)).toEqual({ value: ['value of a', 200, 'value of b'] });
  });

  test('may be taken out of its group', async () => {
    const run = (kong: Kong): unknown => {
      const { serialize } = kong.log;
      return serialize();
    };
    expect(await outcomeOf('log', run, () => 'entry')).toEqual({ value: 'entry' });
  });

  test('keeps what clients named __proto__ a name like any other', async () => {
    const headers = JSON.parse('{"__proto__":"x","a":"b"}') as object;
    const { value } = await outcomeOf(
      'log',
      (kong) => kong.request.getHeaders(),
      () => headers,
    );
    expect(Object.entries(value as object)).toEqual(Object.entries(headers));
  });

  test('that ends the request needs no answer', async () => {
    const { calls, answer } = answering(undefined);
    const run = (kong: Kong): unknown => kong.response.exit(429, '{"message":"no"}', { 'Retry-After': '60' });
    expect(await outcomeOf('access', run, answer)).toEqual({ value: undefined });
    expect(calls).toEqual([['kong.response.exit', 429, Buffer.from('{"message":"no"}'), { 'Retry-After': '60' }]]);
  });
});

describe('a call that Kong would not answer rejects at once', () => {
  test.each([
    ['log', (kong: Kong) => kong.request.getMethod(), 'kong.request.get_method cannot be called in the log phase'],
    ['log', (kong: Kong) => kong.response.exit(200), 'kong.response.exit cannot be called in the log phase'],
    ['access', (kong: Kong) => kong.log.serialize(), 'kong.log.serialize cannot be called in the access phase'],
    ['rewrite', (kong: Kong) => kong.response.getStatus(), 'kong.response.get_status cannot be called in the rewrite'],
  ])('for its phase, %s', async (phase, run, message) => {
    const { calls, answer } = answering('never');
    const { error } = await outcomeOf(phase, run, answer);
    expect(error).toContain(`PDKError: ${message}`);
    expect(calls).toEqual([]);
  });

  test.each([
    ['vault.get', 'kong.vault.get'],
    ['request.getBody', 'kong.request.get_body'],
    ['no.such.thing', 'kong.no.such.thing'],
    ['nothing', 'kong.nothing'],
  ])('since Kong does not know it: %s', async (path, name) => {
    const run = (kong: Kong): unknown =>
      path.split('.').reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], kong);
    const { error } = await outcomeOf('log', (kong) => (run(kong) as () => unknown)());
    expect(error).toBe(`PDKError: ${name} was called in the log phase, but Kong does not offer it over ProtoBuf:1`);
  });

  test.each([
    ['a text', (kong: Kong) => kong.request.getHeader(undefined as unknown as string), 'string'],
    ['a number', (kong: Kong) => kong.request.getHeaders('5' as unknown as number), 'number'],
    ['a flag', (kong: Kong) => kong.client.loadConsumer('a', 1 as unknown as boolean), 'boolean'],
    ['what is no JSON', (kong: Kong) => kong.ctx.shared.set('a', () => 1), 'no function'],
  ])('since it was not given %s', async (_what, run, takes) => {
    const { error } = await outcomeOf('log', run);
    expect(error).toMatch(new RegExp(`^PDKError: kong\\.\\S+ was called with wrong arguments: takes (a |)${takes}$`));
  });

  test('when the body is in a file', async () => {
    const { error } = await outcomeOf(
      'access',
      (kong) => kong.request.getRawBody(),
      () => ({ body_filepath: '/tmp/x' }),
    );
    expect(error).toMatch(/^PDKError: kong.request.get_raw_body was answered with: the body is in a file/);
  });
});

describe('what was measured on a gateway', () => {
  interface Measured {
    readonly fn: string;
    readonly log: { readonly ok: boolean };
    readonly access: { readonly ok: boolean };
  }
  const fixture = join(import.meta.dirname, '../../fixtures/kong/pdk-table.json');
  const table = JSON.parse(readFileSync(fixture, 'utf8')) as readonly Measured[];
  const names = [...new Set(table.map(({ fn }) => fn))];

  test.each(names)('%s', (name) => {
    const measured = table.find(({ fn }) => fn === name);
    const call = findCall(name);
    for (const phase of ['log', 'access'] as const) {
      const isRefused = call === undefined || refusalOf(call, phase) !== undefined;
      // What is not of this protocol is always refused; it was measured over the other one.
      if (measured?.[phase].ok === false) expect(isRefused).toBe(true);
      else expect(isRefused).toBe(call === undefined);
    }
  });

  test('has tried all that may be called in the log phase', () => {
    const tried = ['kong.log.serialize', 'kong.request.get_headers', 'kong.response.get_source', 'kong.nginx.get_ctx'];
    expect(names).toEqual(expect.arrayContaining(tried));
  });
});
