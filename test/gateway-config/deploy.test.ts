import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../backend/config.ts';
import { SECRET_SETTINGS, SETTING_NAMES } from '../../backend/settings/index.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';

const read = (file: string) => readFileSync(file, 'utf8');
const DOCKERFILE = read('docker/backend/Dockerfile');
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into freely
type Json = any;

function configOf(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'backend.yaml');
  writeFileSync(file, text);
  return loadConfig({ CONFIG_FILE: file });
}

describe('Kubernetes', () => {
  const documents = parseAllDocuments(read('deploy/kubernetes/backend.yaml'), { uniqueKeys: true });
  const manifests = documents.map((document) => ('toJS' in document ? (document.toJS() as Json) : {}));
  const one = (kind: string): Json => manifests.find((manifest) => manifest.kind === kind);
  const pod = () => one('Deployment').spec.template.spec;
  const container = () => pod().containers[0];
  const config = () => configOf(one('ConfigMap').data['backend.yaml']);

  test('the file is YAML without a mistake, and has what the page says', () => {
    for (const document of documents) expect('errors' in document && document.errors).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'PersistentVolumeClaim', 'Deployment', 'Service']);
    for (const { apiVersion, metadata } of manifests) {
      expect(apiVersion).toMatch(/^(apps\/)?v1$/);
      expect(metadata.name).toBe('metering-backend');
    }
  });

  test('one backend at a time has the databases, on a disk of one node', () => {
    expect(one('Deployment').spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(one('PersistentVolumeClaim').spec.accessModes).toEqual(['ReadWriteOnce']);
    const data = container().volumeMounts.find(({ name }: Json) => name === 'data');
    expect(data.mountPath).toBe(/DATA_DIR=(\S+)/.exec(DOCKERFILE)?.[1]);
    const volume = pod().volumes.find(({ name }: Json) => name === 'data');
    expect(volume.persistentVolumeClaim.claimName).toBe(one('PersistentVolumeClaim').metadata.name);
  });

  test('its settings are right, its secrets are settings, and none is in the file', () => {
    expect(config().shutdownTimeoutMs).toBeLessThan(pod().terminationGracePeriodSeconds * 1000);
    for (const { name, value, valueFrom } of container().env) {
      if (value !== undefined) expect(name).toBe('CONFIG_FILE');
      else {
        expect(SETTING_NAMES).toContain(name);
        expect(valueFrom.secretKeyRef).toMatchObject({ name: 'metering-backend', key: name });
      }
    }
    const configured = Object.keys(parse(one('ConfigMap').data['backend.yaml']));
    for (const secret of SECRET_SETTINGS) expect(configured).not.toContain(secret.toLowerCase());
    const mount = container().volumeMounts.find(({ name }: Json) => name === 'config');
    const configFile = container().env.find(({ name }: Json) => name === 'CONFIG_FILE').value;
    expect(configFile).toBe(join(mount.mountPath, 'backend.yaml'));
  });

  test('ports, probes and names fit together', () => {
    const [port] = container().ports;
    expect(DOCKERFILE).toContain(`PORT=${port.containerPort}`);
    expect(one('Service').spec.ports[0]).toMatchObject({ targetPort: port.name });
    expect(one('Service').spec.selector).toEqual(one('Deployment').spec.selector.matchLabels);
    expect(one('Deployment').spec.template.metadata.labels).toMatchObject(one('Service').spec.selector);
    expect(container().livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container().startupProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container().readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
  });

  test('it runs as a user of its own, read-only and without capabilities', () => {
    expect(pod()).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});

test('the image has the commands that the page on Kubernetes runs in it', () => {
  const commands = [...read('docs/kubernetes.md').matchAll(/node (bin\/[\w-]+\.js)/g)].map(([, file = '']) => file);
  expect(commands.length).toBeGreaterThan(1);
  const copied = /^COPY (bin\/.*) \.\/bin\/$/m.exec(DOCKERFILE)?.[1]?.split(' ') ?? [];
  for (const file of copied) expect(existsSync(file), file).toBe(true);
  for (const file of commands) expect(copied).toContain(file);
});

describe('systemd', () => {
  const UNIT = read('deploy/systemd/metering-backend.service');
  const values = (key: string) => [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

  test('the commands exist where "npm ci" puts them, and the backend is given time to end', () => {
    const [folder = ''] = values('WorkingDirectory');
    for (const command of [...values('ExecStart'), ...values('ExecStartPre')]) {
      const [program = '', script = ''] = command.split(' ');
      expect(existsSync(program.replace(folder, '.')), command).toBe(true);
      expect(existsSync(script), command).toBe(true);
    }
    expect(Number(values('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(loadConfig({}).shutdownTimeoutMs);
    expect(values('Environment').join(' ')).toContain(`DATA_DIR=/var/lib/${values('StateDirectory')[0]}`);
  });

  test('systemd accepts the unit', ({ skip }) => {
    skip(findCommand('systemd-analyze') === undefined, 'systemd-analyze is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'systemd-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'metering-backend.service');
    // On this machine: the folder of the project, and a user that there is.
    const here = UNIT.replaceAll('/opt/metering-and-billing', resolve('.')).replace(/^(User|Group)=.*$/gm, '$1=root');
    writeFileSync(file, here);
    const { code, stderr } = run('systemd-analyze', ['verify', '--man=no', file], { env: plainEnv() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('TLS by the gateway', () => {
  const TEXT = read('deploy/tls/kong.yml');

  test('the backend is behind a route that takes HTTPS only, and no key is in the file', () => {
    const { services, certificates } = parse(TEXT) as Json;
    expect(services).toHaveLength(1);
    const [service] = services;
    const { host, port, queryTimeoutMs } = { ...loadConfig({}), ...loadConfig({}).usage };
    expect(service).toMatchObject({ host, port, protocol: 'http' });
    expect(service.read_timeout).toBeGreaterThan(queryTimeoutMs);
    expect(service.routes).toMatchObject([{ protocols: ['https'], strip_path: false }]);
    expect(certificates[0].snis[0].name).toBe(service.routes[0].hosts[0]);
    for (const part of ['cert', 'key']) expect(certificates[0][part]).toMatch(/^\{vault:\/\/env\/metering-tls-\w+\}$/);
    expect(read('docs/tls.md')).toContain('METERING_TLS_CERT');
  });

  test('decK accepts it', ({ skip }) => {
    skip(findCommand('deck') === undefined, 'deck is not installed; Debian has it as the package "deck"');
    const env = plainEnv();
    // The name of the command in decK 1.43; Debian 12 has 1.4, which has another.
    const isNew = run('deck', ['file', 'validate', '--help'], { env }).code === 0;
    const args = isNew ? ['file', 'validate', 'deploy/tls/kong.yml'] : ['validate', '--state', 'deploy/tls/kong.yml'];
    const { code, stderr } = run('deck', args, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
