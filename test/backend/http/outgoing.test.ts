import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKongConsumers } from '../../../backend/customers/usage-sources/index.ts';
import { isAddressRange, outgoingPolicy } from '../../../backend/platform/http/outgoing-address.ts';
import { createOutgoingAgent, type OutgoingAgentOptions } from '../../../backend/platform/http/outgoing-agent.ts';

let server: Server;
let port: number;
let requests: (string | undefined)[] = [];
let connections = 0;
beforeAll(async () => {
  server = createServer((asked, response) => {
    requests.push(asked.url);
    if (asked.url === '/away') response.writeHead(302, { location: `http://127.0.0.1:${port}/secret` }).end();
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"data":[]}');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  requests = [];
  connections = 0;
});

/** Calls the server as an operator's setting would, with names that a DNS server of somebody else resolves. */
async function call(url: string, allowed: string[] = [], answers: string[][] = []) {
  let lookups = 0;
  const lookup: OutgoingAgentOptions['lookup'] = (_hostname, _options, done) => {
    const addresses = answers[Math.min(lookups++, answers.length - 1)] ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  const policy = outgoingPolicy(url, allowed);
  const dispatcher = createOutgoingAgent({
    policy,
    timeoutMs: 5000,
    maxResponseBytes: 1000,
    ...(answers.length > 0 && { lookup }),
  });
  try {
    const { statusCode, body } = await request(url, { dispatcher });
    await body.dump();
    return { status: statusCode, lookups };
  } catch (error) {
    return { code: (error as { code?: string }).code, lookups };
  } finally {
    await dispatcher.close();
  }
}
const REFUSED = { code: 'REFUSED_ADDRESS' };

describe('an address that the operator writes', () => {
  test('of the machine itself is meant', async () => {
    expect(await call(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 });
    expect(await call(`http://localhost:${port}/`)).toMatchObject({ status: 200 });
  });

  test('that is unspecified or of the local link is not taken without being allowed', async () => {
    for (const host of [
      '0.0.0.0',
      '169.254.169.254',
      '[::]',
      '[fe80::1]',
      '[::ffff:169.254.169.254]',
      '255.255.255.255',
    ]) {
      expect(await call(`http://${host}:${port}/`), host).toMatchObject(REFUSED);
    }
    // Spellings of 0.0.0.0 and 169.254.169.254 that a URL allows.
    for (const host of ['0', '0x0', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376']) {
      expect(await call(`http://${host}:${port}/`), host).toMatchObject(REFUSED);
    }
    expect(connections).toBe(0);
    expect(await call(`http://0.0.0.0:${port}/`, ['0.0.0.0'])).toMatchObject({ code: 'REFUSED_ADDRESS' });
    expect(await call(`http://0.0.0.0:${port}/`, ['0.0.0.0', '127.0.0.0/8'])).toMatchObject({ status: 200 });
  });

  test('of a network is reached', async ({ skip }) => {
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const outside = own.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    skip(outside === undefined, 'this machine has no address but its own');
    expect(await call(`http://${outside}:${port}/`)).toMatchObject({ status: 200 });
  });
});

describe('a name', () => {
  test.for([
    ['of the machine itself', ['127.0.0.1']],
    ['of the machine itself, as IPv6', ['::1']],
    ['of the machine itself, as mapped IPv6', ['::ffff:127.0.0.1']],
    ['of the local link', ['169.254.169.254']],
    ['of both a network and the machine itself', ['192.0.2.1', '127.0.0.1']],
    ['of nothing', []],
  ] as const)('that leads to an address %s is not connected to', async ([, addresses]) => {
    expect(await call(`http://kong.example:${port}/`, [], [[...addresses]])).toMatchObject(REFUSED);
    expect(connections).toBe(0);
  });

  test('may lead to the machine itself where that address is allowed', async () => {
    expect(await call(`http://kong.example:${port}/`, ['127.0.0.1'], [['127.0.0.1']])).toMatchObject({ status: 200 });
    expect(await call(`http://kong.example:${port}/`, ['127.0.0.2'], [['127.0.0.1']])).toMatchObject(REFUSED);
  });

  test('is looked up once for a connection: another answer later changes nothing', async () => {
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    expect(await call(`http://kong.example:${port}/`, ['127.0.0.1'], answers)).toEqual({ status: 200, lookups: 1 });
  });
});

test('no name leads to where a cloud hands out credentials, not through a translator of IPv6-only networks either', () => {
  const { mayReach } = outgoingPolicy('http://kong.example:8001/', []);
  const metadata = {
    nearlyAll: [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      'fe80::a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b::7f00:1',
    ],
    aws: ['fd00:ec2::254', 'fd00:ec2::23', '169.254.170.2', '169.254.170.23'],
    google: ['fd20:ce::254'],
    azure: ['168.63.129.16'],
    alibaba: ['100.100.100.200', '::ffff:100.100.100.200', '64:ff9b::6464:64c8'],
    oracle: ['fd00:c1::a9fe:a9fe', '192.0.0.192'],
    others: ['169.254.0.23', '169.254.42.42', 'fd00:42::42', 'fd00:a9fe:a9fe::1'],
  };
  expect(Object.values(metadata).flat().filter(mayReach)).toEqual([]);
  const networks = [
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    'fd12:3456::1',
    '2001:db8::1',
    '64:ff9b::a00:1',
  ];
  expect(networks.filter((address) => !mayReach(address))).toEqual([]);
});

test('a redirect is an answer like any other and is not followed', async () => {
  expect(await call(`http://127.0.0.1:${port}/away`)).toMatchObject({ status: 302 });
  expect(requests).toEqual(['/away']);
});

test('consumers are not read from a local link, and the sentence says what to do', async () => {
  const { list } = createKongConsumers({ url: `http://169.254.169.254:${port}`, token: 'secret' });
  await expect(list(0)).rejects.toThrow('OUTGOING_LOCAL_ADDRESSES');
  const here = createKongConsumers({ url: `http://127.0.0.1:${port}` });
  expect(await here.list(0)).toEqual({ consumers: [], isComplete: true });
});

test('ranges of addresses are told from what is none', () => {
  for (const text of ['127.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10']) expect(isAddressRange(text)).toBe(true);
  for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/8/8', '::1/129', '10.0.0.0/x', '10.0.0']) {
    expect(isAddressRange(text)).toBe(false);
  }
});
