import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../collectors/config/read-config.ts';
import { SOURCES } from '../../collectors/sources.ts';
import { type Json, type KubernetesApi, startKubernetesApi } from '../support/collectors/kubernetes-api.ts';
import { startSource } from '../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';

/** deploy/kubernetes/collector.yaml, against what the collector reads and asks for. */
const read = (file: string) => readFileSync(file, 'utf8');
const DOCKERFILE = read('docker/collector/Dockerfile');
const documents = parseAllDocuments(read('deploy/kubernetes/collector.yaml'), { uniqueKeys: true });
const manifests: Json[] = documents.map((document) => ('toJS' in document ? document.toJS() : {}));
const one = (kind: string): Json => manifests.find((manifest) => manifest.kind === kind);
const container = () => one('StatefulSet').spec.template.spec.containers[0];
const PORT = 4195;

let folder: ReturnType<typeof tempFolder>;
let api: KubernetesApi;
beforeEach(async () => {
  folder = tempFolder();
  api = await startKubernetesApi(Date.now());
});
afterEach(async () => {
  await api.close();
  folder.remove();
});

test('the file is YAML without a mistake, and its names fit together', () => {
  for (const document of documents) expect('errors' in document && document.errors).toEqual([]);
  for (const { metadata } of manifests) expect(metadata.name).toBe('metering-collector');
  expect(one('ClusterRoleBinding').roleRef.name).toBe(one('ClusterRole').metadata.name);
  expect(one('RoleBinding').roleRef.name).toBe(one('Role').metadata.name);
  for (const kind of ['ClusterRoleBinding', 'RoleBinding']) {
    expect(one(kind).subjects[0]).toMatchObject({ kind: 'ServiceAccount', name: one('ServiceAccount').metadata.name });
  }
  expect(one('StatefulSet').spec.template.spec.serviceAccountName).toBe(one('ServiceAccount').metadata.name);
});

test('its configuration is right with the variables that it sets, on the disk that it has, and has no secret', () => {
  const names = container().env.map(({ name }: Json) => name);
  const environment = Object.fromEntries(names.map((name: string) => [name, 'metering']));
  const text = one('ConfigMap').data['collector.yaml'];
  const config = readConfig(text, SOURCES, { environment, readText: read });
  const [{ settings, output }] = config.collectors as [Json];
  expect(settings.lease).toMatchObject({ namespace: 'metering', name: one('Role').rules[1].resourceNames[0] });
  expect(output.token).toBe('metering');
  const mount = (name: string) => container().volumeMounts.find((volume: Json) => volume.name === name).mountPath;
  expect(config.buffer.path.startsWith(mount('data'))).toBe(true);
  expect(container().args).toEqual(['--config', join(mount('config'), 'collector.yaml')]);
  expect(config.http).toEqual({ host: '0.0.0.0', port: PORT });
  expect(container().ports[0]).toMatchObject({ name: 'http', containerPort: PORT });
  for (const { name, value } of container().env) expect(`${name} ${value}`).toBe(`${name} undefined`);
});

test("it runs the collector's image as that starts by itself", () => {
  expect(container().image).toBe('metering-and-billing-collector');
  expect(container().command).toBeUndefined();
  expect(JSON.parse(/^CMD (.*)$/m.exec(DOCKERFILE)?.[1] ?? '')).toEqual(container().args);
});

test('it has the rights that its requests need, and no others', async () => {
  const own = join(folder.path, 'own');
  mkdirSync(own);
  const lease = { namespace: 'metering', name: 'metering-collector', duration: '3s', identity: 'pod-0' };
  const source = startSource(api, own, { resources: { lease } });
  await expect.poll(() => api.requests.some((request) => request.startsWith('PUT'))).toBe(true);
  await expect.poll(() => api.requests.some((request) => request.includes('watch=true'))).toBe(true);
  await source.stop();
  const needed = new Set(api.requests.map(rightOf));
  const rules = [...one('ClusterRole').rules, ...one('Role').rules];
  const given = rules.flatMap(({ resources, verbs, resourceNames = [''] }: Json) =>
    verbs.map((verb: string) => `${verb} ${resources[0]} ${resourceNames[0]}`.trim()),
  );
  expect([...needed].toSorted()).toEqual(given.toSorted());

  function rightOf(request: string): string {
    const [method = '', target = ''] = request.split(' ');
    const url = new URL(target, api.url);
    const [, resource = '', name = ''] = /\/(pods|leases)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    if (method !== 'GET') return `${method === 'POST' ? 'create' : 'update'} ${resource} ${name}`.trim();
    if (name !== '') return `get ${resource} ${name}`;
    return `${url.searchParams.has('watch') ? 'watch' : 'list'} ${resource}`;
  }
});
