#!/usr/bin/env node
// The product catalog as a file: npm run catalog -- --help
import { requireNode } from './require-node.js';

requireNode();
const { readFileSync } = await import('node:fs');
const { createInterface } = await import('node:readline/promises');
const { runCatalog } = await import('../catalog/cli.ts');

async function ask(question) {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

process.exitCode = await runCatalog(process.argv.slice(2), {
  environment: process.env,
  print: (text) => process.stdout.write(text),
  say: (line) => process.stderr.write(`${line}\n`),
  ask,
  readText: (file) => readFileSync(file, 'utf8'),
});
