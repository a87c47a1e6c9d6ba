import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApiClient } from '../../../collectors/kubernetes/api-client.ts';
import { schedule } from '../../../collectors/kubernetes/index.ts';
import { inClusterAccess, kubeconfigAccess } from '../../../collectors/kubernetes/kubeconfig.ts';
import { compileSelector } from '../../../collectors/kubernetes/selector.ts';
import { systemClock } from '../../../delivery/clock.ts';
import { startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
import { T0 } from '../../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

/** As whom, over what, and which settings. */
let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const file = (name: string, text?: string) => {
  const path = join(folder.path, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe' });
const signal = new AbortController().signal;

/** A CA, and a certificate of it for a name or for 127.0.0.1. */
function makeCertificates(): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=ca',
    '-days',
    '2',
  );
  for (const [name, san] of [
    ['server', 'IP:127.0.0.1'],
    ['client', 'DNS:client'],
  ]) {
    file(`${name}.ext`, `subjectAltName=${san}`);
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
  }
}

test('within a cluster: TLS by its CA, and a token that is renewed in place', async () => {
  makeCertificates();
  const api = await startKubernetesApi(T0, {
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.crt')),
    ca: readFileSync(file('ca.crt')),
  });
  api.tokens = new Set(['first']);
  const settings = { apiServer: api.url, tokenFile: file('token', 'first\n'), caFile: file('ca.crt') };
  const client = createApiClient(() => inClusterAccess(settings), systemClock);
  expect(await client.get('/api/v1/pods', signal)).toMatchObject({ items: [] });
  expect(client.time.nowMs()).toBeLessThan(T0 + 60_000);
  api.tokens = new Set(['second']);
  file('token', 'second\n');
  // The old one is refused once, and then the file is read again, long before its minute is over.
  await expect(client.get('/api/v1/pods', signal)).rejects.toMatchObject({ status: 401 });
  expect(await client.get('/api/v1/pods', signal)).toMatchObject({ items: [] });
  client.close();
  const stranger = createApiClient(
    () => ({ ...inClusterAccess(settings), ca: readFileSync(file('client.crt'), 'utf8') }),
    systemClock,
  );
  await expect(stranger.get('/api/v1/pods', signal)).rejects.toThrow(/certificate/);
  stranger.close();
  await api.close();
});

test('a kubeconfig: certificates in place and as files, contexts, and what is not done', async () => {
  makeCertificates();
  const api = await startKubernetesApi(T0, {
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.crt')),
    ca: readFileSync(file('ca.crt')),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const base64 = (name: string) => readFileSync(file(name)).toString('base64');
  const config = {
    'current-context': 'inline',
    contexts: [
      { name: 'inline', context: { cluster: 'inline', user: 'inline' } },
      { name: 'files', context: { cluster: 'files', user: 'files' } },
      { name: 'exec', context: { cluster: 'files', user: 'exec' } },
    ],
    clusters: [
      { name: 'inline', cluster: { server: api.url, 'certificate-authority-data': base64('ca.crt') } },
      { name: 'files', cluster: { server: api.url, 'certificate-authority': 'ca.crt' } },
    ],
    users: [
      {
        name: 'inline',
        user: { 'client-certificate-data': base64('client.crt'), 'client-key-data': base64('client.key') },
      },
      { name: 'files', user: { 'client-certificate': 'client.crt', 'client-key': 'client.key', tokenFile: 'token' } },
      { name: 'exec', user: { exec: { command: 'aws' } } },
    ],
  };
  file('token', 'abc');
  const path = file('config', JSON.stringify(config));
  for (const context of [undefined, 'files']) {
    const client = createApiClient(() => kubeconfigAccess(path, context), systemClock);
    expect(await client.get('/api/v1/pods', signal)).toMatchObject({ items: [] });
    client.close();
  }
  expect(() => kubeconfigAccess(path, 'exec')).toThrow(/users with exec are not supported/);
  expect(() => kubeconfigAccess(path, 'nowhere')).toThrow(/has no context nowhere/);
  expect(() => kubeconfigAccess(file('none'), undefined)).toThrow(/cannot be read \(ENOENT\)/);
  expect(kubeconfigAccess(path, 'files')).toMatchObject({ token: 'abc', isVerified: true });
  await api.close();
});

test.each([
  ['app=web', { app: 'web' }, true],
  ['app==web,tier!=test', { app: 'web' }, true],
  ['app=web,tier!=test', { app: 'web', tier: 'test' }, false],
  ['region in (eu, us)', { region: 'us' }, true],
  ['region notin (eu,us)', { region: 'eu' }, false],
  ['region notin (eu,us)', {}, true],
  ['example.com/billed', { 'example.com/billed': '' }, true],
  ['!internal', { internal: 'no' }, false],
  ['constructor', {}, false],
  ['', undefined, true],
])('the selector %j on %j', (text, labels, isWanted) => {
  expect(compileSelector(text)(labels)).toBe(isWanted);
});

test('everything that is wrong with the settings is said', () => {
  const wrong = (input: unknown, more = {}) => {
    const { error } = schedule.schema.safeParse({ input: { kubernetes_resources: input }, ...more });
    return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  };
  expect(wrong({ label_selector: 'a=b,,c' })).toContain('"" is no requirement of a label');
  expect(wrong({ resource_type: 'node', namespaces: ['a'] })).toContain(
    'namespaces: must be empty: a node is in no namespace',
  );
  expect(wrong({ resource_type: 'deployment' })).toContain('must be one of pod, node');
  expect(wrong({ namespaces: ['Not A Name'] })).toContain('must be a name as Kubernetes has them');
  expect(wrong({}, { interval: '7s' })).toContain('interval: must divide an hour');
  expect(wrong({ lease: { namespace: 'a', name: 'b', duration: '1s' } })).toContain('must be from 3000 ms');
  expect(wrong({ namespaces: [''], include_pending_pods: 'true' })).toBe('');
});
