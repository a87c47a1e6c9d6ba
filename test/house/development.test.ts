import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { runAnewOnChange } from '../../scripts/dev-process.ts';

const { scripts, version } = JSON.parse(readFileSync('package.json', 'utf8'));

test('a program runs anew when its sources change, also one that had ended by itself, and ends with its watcher', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dev-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'deep'));
  const source = join(folder, 'deep/program.mjs');
  const stays = (name: string) => `console.log('${name} starts'); setInterval(() => {}, 1000);
    process.on('SIGTERM', () => { console.log('${name} ends'); process.exit(); });`;
  writeFileSync(source, stays('first'));
  let said = '';
  const program = runAnewOnChange(() => {
    const child = spawn(process.execPath, [source], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (text) => {
      said += text;
    });
    return child;
  }, [folder]);
  const lines = () => said.split('\n').slice(0, -1);

  await expect.poll(lines).toEqual(['first starts']);
  writeFileSync(source, `console.log('second starts');`);
  await expect.poll(lines).toEqual(['first starts', 'first ends', 'second starts']);
  writeFileSync(source, stays('third'));
  await expect.poll(lines).toEqual(['first starts', 'first ends', 'second starts', 'third starts']);
  await program.stop();
  await expect.poll(lines).toEqual(['first starts', 'first ends', 'second starts', 'third starts', 'third ends']);
});

test('the changelog has what a release is published with', () => {
  const notes = execFileSync(process.execPath, ['scripts/release-notes.ts', version]).toString();
  expect(notes).toMatch(/^- /m);
  expect(notes).not.toContain('## [');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/release-notes.ts', '9.9.9'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'CHANGELOG.md has no section for version "9.9.9".\n' });
});

/** Commands of a workflow, line by line. */
function commandsOf(file: string): string[] {
  const { jobs } = parse(readFileSync(file, 'utf8')) as { jobs: Record<string, { steps?: { run?: string }[] }> };
  return Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run = '' }) => run.split('\n')));
}

test.for(['.github/workflows/checks.yml', '.github/workflows/release.yml'])('%s runs what is there', (file) => {
  const commands = commandsOf(file);
  const named = commands.flatMap((line) => [...line.matchAll(/npm (?:run )?([a-z]+(?::[a-z-]+)?)/g)]);
  const own = named.map(([, name = '']) => name).filter((name) => !['ci', 'pack', 'run'].includes(name));
  expect(own.filter((name) => scripts[name] === undefined)).toEqual([]);
  const files = commands.flatMap((line) => line.match(/(?:scripts|docker)\/[\w./-]+/g) ?? []);
  expect([...own, ...files].length).toBeGreaterThan(2);
  expect(files.filter((path) => !existsSync(path))).toEqual([]);
});

test('continuous integration checks the types, those of the console among them, the import rules and what is unused', () => {
  expect(commandsOf('.github/workflows/checks.yml')).toContain('npm run check');
  for (const part of ['biome check', 'tsc', 'vue-tsc', 'npm run --silent unused', 'depcruise'])
    expect(scripts.check).toContain(part);
});

test.for(['CONTRIBUTING.md', 'SECURITY.md', 'docs/decisions/README.md'])('%s leads to what is there', (page) => {
  const text = readFileSync(page, 'utf8');
  const links = [...text.matchAll(/\]\(([^)#]+?)(?:#[\w-]+)?\)/g)].map(([, target = '']) => target);
  const own = links.filter((target) => !target.startsWith('http')).map((target) => resolve(dirname(page), target));
  expect(own.length).toBeGreaterThan(2);
  expect(own.filter((path) => !existsSync(path))).toEqual([]);
  const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(commands.filter((name) => scripts[name] === undefined)).toEqual([]);
});
