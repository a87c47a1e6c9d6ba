import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../backend/config.ts';
import { findCommand, plainEnv, type Run, run } from '../support/programs.ts';

const TEXT = readFileSync('docker-compose.yml', 'utf8');

interface Service {
  build?: { context: string; dockerfile: string };
  image?: string;
  user?: string;
  hostname?: string;
  environment?: Record<string, string | null>;
  volumes?: string[];
  ports?: string[];
  healthcheck?: object;
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
}
const { services, volumes } = parse(TEXT) as {
  services: Record<'kong' | 'backend' | 'upstream', Service>;
  volumes: Record<string, unknown>;
};
const named = Object.entries(services);

function dockerfileOf(service: Service): string {
  return service.build === undefined ? '' : readFileSync(service.build.dockerfile, 'utf8');
}

/** What "docker compose config" makes of the file; undefined without a Compose on this machine. */
function composeConfig(envFile: string): Run | undefined {
  const args = ['--project-directory', resolve('.'), '--file', 'docker-compose.yml', '--env-file', envFile, 'config'];
  const env = plainEnv();
  if (findCommand('docker') !== undefined && run('docker', ['compose', 'version'], { env }).code === 0) {
    return run('docker', ['compose', ...args], { env });
  }
  return findCommand('docker-compose') === undefined ? undefined : run('docker-compose', args, { env });
}

test('there are a gateway, a backend and an upstream', () => {
  expect(Object.keys(services)).toEqual(['kong', 'backend', 'upstream']);
});

test.for(named)('%s runs as a user of its own, read-only and without capabilities', ([, service]) => {
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' });
  const user = service.user ?? [...dockerfileOf(service).matchAll(/^USER (\w+)$/gm)].at(-1)?.[1];
  expect(user).toBeTypeOf('string');
  expect(user).not.toBe('root');
});

test.for(named)('%s has a health check', ([, service]) => {
  expect(service.healthcheck !== undefined || dockerfileOf(service).includes('\nHEALTHCHECK ')).toBe(true);
});

test.for(named)('what %s is made of exists', ([, service]) => {
  if (service.build !== undefined) expect(existsSync(service.build.dockerfile)).toBe(true);
  for (const volume of service.volumes ?? []) {
    const [from = ''] = volume.split(':');
    expect(from.startsWith('.') ? existsSync(from) : from in volumes, volume).toBe(true);
  }
});

test('ports are open to this machine only', () => {
  for (const port of named.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('the database is in a named volume, at the place where the image keeps its data', () => {
  const dataDir = /DATA_DIR=(\S+)/.exec(dockerfileOf(services.backend))?.[1];
  expect(services.backend.volumes).toEqual([`data:${dataDir}`]);
  expect(Object.keys(volumes)).toEqual(['data', 'spool']);
});

test('events that wait are in a named volume, where the plugin server of the image keeps them, under a name that stays', () => {
  const spoolDir = /METERING_SPOOL_DIR=(\S+)/.exec(dockerfileOf(services.kong))?.[1];
  expect(services.kong.volumes).toContain(`spool:${spoolDir}`);
  expect(services.kong.hostname).toBe('gateway');
});

test('no secret is in the file: tokens come from variables that .env.example names, without values', () => {
  const example = readFileSync('.env.example', 'utf8');
  const asked = [...TEXT.matchAll(/\$\{(\w+)/g)].map((match) => match[1]);
  expect(new Set(asked)).toEqual(new Set(['ADMIN_TOKEN', 'INGEST_TOKEN']));
  for (const name of asked) expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
  for (const [, { environment = {} }] of named) {
    for (const [name, value] of Object.entries(environment)) {
      if (name.endsWith('TOKEN')) expect(value ?? '').toMatch(/^(\$\{\w+:\?[^}]+\})?$/);
    }
  }
});

test('the gateway sends to the backend with a token that may only send events', () => {
  const { kong, backend } = services;
  expect(kong.environment?.['DECK_INGEST_ENDPOINT']).toBe('http://backend:8888/v3/openmeter/events');
  expect(kong.environment?.['DECK_AUTH_TOKEN']).toBe(backend.environment?.['INGEST_TOKEN']);
});

test('the backend knows every variable that the image and the file give it, and listens where the gateway sends', () => {
  const fromImage = [...dockerfileOf(services.backend).matchAll(/^(?:ENV| {3}) (\w+)=(\S+?)(?: \\)?$/gm)];
  const environment = Object.fromEntries([
    ...fromImage.map(([, name = '', value = '']) => [name, value]),
    ...Object.entries(services.backend.environment ?? {}).map(([name, value]) => [
      name,
      value === null || value.startsWith('${') ? '' : value,
    ]),
  ]);
  expect(loadConfig(environment)).toMatchObject({ host: '0.0.0.0', port: 8888, dataDir: '/data', logLevel: 'info' });
});

test('Docker Compose accepts the file', ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const envFile = join(folder, 'env');
  writeFileSync(envFile, 'ADMIN_TOKEN=admin-token-of-a-test\nINGEST_TOKEN=ingest-token-of-a-test\n');
  const config = composeConfig(envFile);
  skip(config === undefined, 'Docker Compose is not installed');
  expect(config?.code, config?.stderr).toBe(0);
  expect(parse(config?.stdout ?? '')).toMatchObject({
    services: { kong: { environment: { DECK_AUTH_TOKEN: 'ingest-token-of-a-test' } } },
  });

  writeFileSync(envFile, readFileSync('.env.example', 'utf8'));
  const unfilled = composeConfig(envFile);
  expect(unfilled?.code).not.toBe(0);
  expect(unfilled?.stderr).toContain('.env.example');
});
