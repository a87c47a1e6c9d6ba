import { readFileSync } from 'node:fs';
import { runCollect } from '../../../../collectors/cli.ts';
import { systemClock } from '../../../../delivery/clock.ts';
import { createLog } from '../../../../delivery/log.ts';

// The command, with a wall clock that who started it can move: each message is by how much it is ahead, milliseconds.
let aheadMs = 0;
process.on('message', (ms: number) => {
  aheadMs = ms;
});
const stopper = new AbortController();
process.on('SIGTERM', () => stopper.abort());

const code = await runCollect(process.argv.slice(2), {
  environment: {},
  clock: { ...systemClock, epochMs: () => Date.now() + aheadMs },
  random: Math.random,
  log: createLog((line) => process.stderr.write(line)),
  print: (text) => process.stdout.write(text),
  say: (line) => process.stderr.write(`${line}\n`),
  readText: (file) => readFileSync(file, 'utf8'),
  signal: stopper.signal,
});
process.exit(code);
