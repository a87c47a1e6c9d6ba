import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { plainEnv, run } from '../support/programs.ts';

interface Package {
  version: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  hasInstallScript?: boolean;
}
const LOCKFILES = ['package-lock.json', 'scripts/openapi-tools/package-lock.json'];
const packagesOf = (file: string) =>
  Object.entries((JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Package> }).packages).filter(
    ([path]) => path !== '',
  );

test.for(LOCKFILES)('every package of %s is pinned by its checksum', (file) => {
  const packages = packagesOf(file);
  expect(packages.length).toBeGreaterThan(100);
  const loose = packages.filter(
    ([, { integrity, resolved, link }]) => !integrity?.startsWith('sha512-') || resolved || link,
  );
  expect(loose).toEqual([]);
});

test.for(LOCKFILES)('which packages of %s may run something when they are installed is written down', (file) => {
  const named = packagesOf(file).filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = [...new Set(named.map(([path]) => path.split('node_modules/').at(-1) ?? ''))];
  const { allowScripts } = JSON.parse(readFileSync(join(file, '..', 'package.json'), 'utf8'));
  expect(
    Object.keys(allowScripts)
      .filter((name) => names.includes(name))
      .sort(),
  ).toEqual(names.sort());
  // It fetches a program of its own, by no checksum of ours.
  expect(names).not.toContain('node');
});

test('the Node that npm scripts run on is a package of the lockfile', () => {
  const [path = '', locked] =
    packagesOf('package-lock.json').find(
      ([name]) => name === `node_modules/node-${process.platform}-${process.arch}`,
    ) ?? [];
  expect(realpathSync(process.execPath)).toBe(realpathSync(join(path, 'bin/node')));
  expect(`v${locked?.version}`).toBe(process.version);
});

/** A copy of what names images, by tag only, and a `docker` that answers `digest` for each. */
function imagesCopy(digest: string) {
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['docker', 'docker-compose.yml', 'docker-compose.enforcement.yml', 'package.json']) {
    cpSync(name, join(folder, name), { recursive: true });
  }
  for (const name of ['docker/backend/Dockerfile', 'docker/kong/Dockerfile', 'docker-compose.yml']) {
    const text = readFileSync(name, 'utf8').replace(/@sha256:[0-9a-f]+/g, '');
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/docker'), `#!/bin/sh\necho ${digest}\n`, { mode: 0o755 });
  symlinkSync(resolve('scripts'), join(folder, 'scripts'));
  const { PATH, ...rest } = plainEnv();
  const env = { ...rest, PATH: `${join(folder, 'bin')}:${PATH}` };
  const pinImages = (...flags: string[]) =>
    run(process.execPath, ['scripts/pin-images.ts', ...flags], { cwd: folder, env });
  return { folder, pinImages };
}

test('a release refuses images without a digest, and names each, until they are pinned', () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  const { folder, pinImages } = imagesCopy(digest);
  const before = pinImages('--check');
  expect(before.code).toBe(1);
  for (const place of [
    'docker/backend/Dockerfile:5: node:24',
    'docker/kong/Dockerfile:3: kong:3',
    'docker-compose.yml:',
  ]) {
    expect(before.stderr).toContain(place);
  }
  expect(pinImages()).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(join(folder, 'docker/backend/Dockerfile'), 'utf8')).toMatch(
    new RegExp(`^FROM node:24-bookworm@${digest} AS packages$`, 'm'),
  );
  expect(readFileSync(join(folder, 'docker/kong/Dockerfile'), 'utf8')).toMatch(
    new RegExp(`^ARG KONG_IMAGE=kong:\\d[^@\\n]*@${digest}$`, 'm'),
  );
  expect(pinImages('--check')).toMatchObject({ code: 0, stderr: '' });
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(scripts.release).toMatch(/^npm run --silent images:check && /);
  expect(scripts['images:check']).toBe('node scripts/pin-images.ts --check');
});

test('nothing is written where a registry tells no digest', () => {
  const { folder, pinImages } = imagesCopy('no-digest');
  const { code, stderr } = pinImages();
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Nothing was written') });
  expect(readFileSync(join(folder, 'docker/kong/Dockerfile'), 'utf8')).not.toContain('@');
});

test('the bill of materials names every package of the lockfile with its version and checksum', () => {
  const script: string = JSON.parse(readFileSync('package.json', 'utf8')).scripts.sbom;
  const { code, stdout } = run('sh', ['-c', script.replace(/^mkdir -p dist && /, '').replace(/ >dist.*$/, '')], {
    env: plainEnv(),
  });
  expect(code).toBe(0);
  const bill = JSON.parse(stdout) as { bomFormat: string; components: { purl: string; hashes?: unknown[] }[] };
  expect(bill.bomFormat).toBe('CycloneDX');
  const named = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)));
  for (const [path, { version }] of packagesOf('package-lock.json')) {
    expect(named).toContain(`pkg:npm/${path.split('node_modules/').at(-1)}@${version}`);
  }
  expect(bill.components.filter(({ hashes }) => hashes === undefined)).toEqual([]);
});
