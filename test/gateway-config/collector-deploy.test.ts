import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../collectors/config/read-config.ts';
import { SOURCES } from '../../collectors/sources.ts';
import { findCommand, plainEnv, run } from '../support/programs.ts';

const read = (file: string) => readFileSync(file, 'utf8');
const DOCKERFILE = read('docker/collector/Dockerfile');
const UNIT = read('deploy/systemd/metering-collector.service');
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into freely
type Json = any;

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('what the image copies is all that a collector needs', () => {
  const folder = tempFolder();
  const ignored = read('.dockerignore').split('\n');
  for (const [, files = '', to = ''] of DOCKERFILE.matchAll(/^COPY (?!--from)(.*) (\S+)$/gm)) {
    for (const file of files.split(' ').filter((name) => !name.startsWith('package'))) {
      expect(ignored).toContain(`!${file.split('/')[0]}`);
      const target = join(folder, to, file.includes('/') ? file.slice(dirname(file).length + 1) : '');
      mkdirSync(dirname(target), { recursive: true });
      cpSync(file, target, { recursive: true });
    }
  }
  cpSync('package.json', join(folder, 'package.json'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const [program, ...args] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? '') as string[];
  expect(program).toBe('node');
  const config = join(folder, 'collector.yaml');
  writeFileSync(config, configOf());
  const env = { ...process.env, OPENMETER_TOKEN: 'token', BUFFER_PATH: join(folder, 'spool.sqlite') };
  const answer = execFileSync(process.execPath, [...args, '--config', config, '--check'], { cwd: folder, env });
  expect(answer.toString()).toBe('The configuration is fine.\n');
  // What npm starts has the same heap.
  expect(JSON.parse(read('package.json')).scripts.collect).toBe(`node ${args.join(' ')}`);
});

const documents = parseAllDocuments(read('deploy/kubernetes/collector-s3.yaml'), { uniqueKeys: true });
const manifests = documents.map((document) => ('toJS' in document ? (document.toJS() as Json) : {}));
const one = (kind: string): Json => manifests.find((manifest) => manifest.kind === kind);
const configOf = (): string => one('ConfigMap').data['collector.yaml'];

describe('Kubernetes', () => {
  const pod = () => one('StatefulSet').spec.template.spec;
  const container = () => pod().containers[0];

  test('its configuration is right by the environment that it is given, and has no secret', () => {
    for (const document of documents) expect('errors' in document && document.errors).toEqual([]);
    const env: [string, string][] = container().env.map(({ name, value = 'secret' }: Json) => [name, value]);
    const config = readConfig(configOf(), SOURCES, { environment: Object.fromEntries(env), readText: read });
    expect(config).toMatchObject({ buffer: { path: '/data/collector.sqlite' }, http: { host: '0.0.0.0', port: 4195 } });
    expect(config.collectors).toMatchObject([{ name: 'usage-bucket', output: { token: 'secret' } }]);
    const mount = container().volumeMounts.find(({ name }: Json) => name === 'config');
    expect(DOCKERFILE).toContain(`CMD ["--config", "${mount.mountPath}/collector.yaml"]`);
  });

  test('its disk stays with it, and it may do nothing else', () => {
    const [claim] = one('StatefulSet').spec.volumeClaimTemplates;
    expect(claim.spec.accessModes).toEqual(['ReadWriteOnce']);
    expect(container().volumeMounts).toContainEqual({ name: claim.metadata.name, mountPath: '/data' });
    expect(one('StatefulSet').spec.selector.matchLabels).toEqual(one('StatefulSet').spec.template.metadata.labels);
    expect(container().livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container().readinessProbe.httpGet).toEqual({ path: '/ready', port: 'http' });
    expect(pod()).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
    expect(container().securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});

test('systemd accepts the unit, which keeps its spool where it may write', ({ skip }) => {
  expect(UNIT).toContain('BUFFER_PATH=/var/lib/metering-collector/collector.sqlite');
  expect(UNIT).toContain('StateDirectory=metering-collector\n');
  skip(findCommand('systemd-analyze') === undefined, 'systemd-analyze is not installed');
  const file = join(tempFolder(), 'metering-collector.service');
  const here = UNIT.replaceAll('/opt/metering-and-billing', resolve('.')).replace(/^(User|Group)=.*$/gm, '$1=root');
  writeFileSync(file, here);
  const { code, stderr } = run('systemd-analyze', ['verify', '--man=no', file], { env: plainEnv() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
