#!/usr/bin/env node
// Collects usage from sources beside the gateway: npm run collect -- --help
import { requireNode } from './require-node.js';

requireNode();
const { readFileSync } = await import('node:fs');
const { systemClock } = await import('../delivery/clock.ts');
const { createLog, stderrSink } = await import('../delivery/log.ts');
const { runCollect } = await import('../collectors/cli.ts');

const stopper = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stopper.abort());

const code = await runCollect(process.argv.slice(2), {
  environment: process.env,
  clock: systemClock,
  random: Math.random,
  log: createLog(stderrSink),
  print: (text) => process.stdout.write(text),
  say: (line) => process.stderr.write(`${line}\n`),
  readText: (file) => readFileSync(file, 'utf8'),
  signal: stopper.signal,
});
// What is left open (connections of who pushes) has nothing more to say.
process.stdout.write('', () => process.exit(code));
