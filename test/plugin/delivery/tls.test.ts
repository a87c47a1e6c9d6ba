import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRig, ids, pushAll, serve, settingsFor, until } from '../../support/plugin/rig.ts';
import { startChild } from './support/child.ts';

const tls = { key: '', cert: '' };
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'delivery-tls-'));
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-keyout',
    files.key,
    '-out',
    files.cert,
  ]);
  tls.key = await readFile(files.key, 'utf8');
  tls.cert = await readFile(files.cert, 'utf8');
});

afterAll(() => rm(folder, { recursive: true }));

test('with ssl_verify a certificate that nobody vouches for gets no events', async () => {
  const server = await serve(undefined, { tls });
  const rig = createRig(server.url, { queue: { maxBatchSize: 2, maxRetryTimeMs: 50 } });
  pushAll(rig.delivery, ids(2));
  await until(() => expect(rig.deliveries.counters().dropped).toEqual({ retry_time_exceeded: 2 }));
  expect(server.requests).toEqual([]);
  expect(rig.linesOf('delivery failed, trying again')[0]).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test('with ssl_verify a certificate that the process trusts is taken', async () => {
  const server = await serve(undefined, { tls });
  const child = startChild(
    { settings: settingsFor(server.url, { queue: { maxBatchSize: 2 } }), ids: ids(2), stayAlive: false },
    { NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') },
  );
  await until(() => expect(server.accepted).toEqual(ids(2)));
  expect((await child.ended).code).toBe(0);
});

test('without ssl_verify any certificate will do', async () => {
  const server = await serve(undefined, { tls });
  const rig = createRig(server.url, { sslVerify: false, queue: { maxBatchSize: 2 } });
  pushAll(rig.delivery, ids(2));
  await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2, waiting: 0, dropped: {} }));
  expect(server.accepted).toEqual(ids(2));
});
