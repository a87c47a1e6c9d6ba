import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Base images by digest, so that a release is built of what was tested, whatever a tag points to by then.
 *
 * `npm run images:pin` asks the registry for the digest of every image that the Dockerfiles and compose files of this
 * folder name (by `docker buildx imagetools inspect`) and writes it behind the tag: `node:24@sha256:…`. It asks again for
 * what has one, so it also brings them up to date. Nothing is written unless every image was answered for.
 * `npm run images:check`, the first step of `npm run release`, ends with 1 and names every image without a digest.
 */
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** `FROM image`, `ARG SOME_IMAGE=image`, `image: image`. */
const NAMED = /^(\s*(?:FROM\s+(?:--platform=\S+\s+)?|ARG\s+\w*IMAGE=|image:\s*)["']?)([^\s"'#]+)/gm;

interface Named {
  file: string;
  line: number;
  image: string;
}

const files = [
  ...readdirSync('docker')
    .map((folder) => join('docker', folder, 'Dockerfile'))
    .filter((file) => existsSync(file)),
  ...readdirSync('.').filter((name) => /^docker-compose.*\.yml$/.test(name)),
];

/** What a file takes from a registry: no stage of its own, nothing that is a variable, nothing that is built here. */
function imagesOf(file: string): Named[] {
  const text = readFileSync(file, 'utf8');
  const stages = [...text.matchAll(/^FROM\s.*\sAS\s+(\S+)/gim)].map(([, name]) => name);
  return [...text.matchAll(NAMED)]
    .map((match) => ({ file, line: text.slice(0, match.index).split('\n').length, image: match[2] ?? '' }))
    .filter(({ image }) => !image.includes('$') && !stages.includes(image));
}

function digestOf(image: string): string | undefined {
  const { stdout } = spawnSync(
    'docker',
    ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const digest = stdout?.trim() ?? '';
  return DIGEST.test(digest) ? digest : undefined;
}

const nameOf = (image: string) => image.split('@')[0] ?? image;
const named = files.flatMap(imagesOf);

function check(): string[] {
  return named
    .filter(({ image }) => !DIGEST.test(image.split('@')[1] ?? ''))
    .map(
      ({ file, line, image }) =>
        `${file}:${line}: ${image} has no digest. Run "npm run images:pin" where its registry can be reached.`,
    );
}

function pin(): string[] {
  const digests = new Map([...new Set(named.map(({ image }) => nameOf(image)))].map((name) => [name, digestOf(name)]));
  const unknown = [...digests].filter(([, digest]) => digest === undefined);
  if (unknown.length > 0) return unknown.map(([name]) => `${name}: the registry told no digest. Nothing was written.`);
  for (const file of new Set(named.map((image) => image.file))) {
    const text = readFileSync(file, 'utf8').replace(NAMED, (all, before: string, image: string) => {
      const digest = digests.get(nameOf(image));
      return digest === undefined ? all : `${before}${nameOf(image)}@${digest}`;
    });
    writeFileSync(file, text);
  }
  return [];
}

const problems = process.argv.includes('--check') ? check() : pin();
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
else process.stdout.write(`${named.length} images, each by its digest.\n`);
