// A collector that says where it listens, for bench/collecting.ts: node bench/collect-process.ts CONFIG
import { readFileSync } from 'node:fs';
import { runCollect } from '../collectors/cli.ts';
import { systemClock } from '../delivery/clock.ts';

const stopper = new AbortController();
process.on('SIGTERM', () => stopper.abort());
let otlp = '';
const isPushedTo = readFileSync(process.argv[2] ?? '', 'utf8').includes('otel_log');
const code = await runCollect(['--config', process.argv[2] ?? ''], {
  environment: {},
  clock: systemClock,
  random: Math.random,
  log(_level, msg, fields = {}) {
    if (msg === 'taking OTLP logs') otlp = `http://127.0.0.1:${fields['http']}`;
    if (msg !== 'collecting') return;
    announce(`http://${fields['http']}`);
  },
  print: () => {},
  say: (line) => console.error(line),
  readText: (file) => readFileSync(file, 'utf8'),
  signal: stopper.signal,
});
process.exitCode = code;

/** The source may listen a moment after the metrics. */
function announce(metrics: string): void {
  if (otlp === '' && isPushedTo) setTimeout(announce, 5, metrics);
  else console.log(`{"url":"{'otlp':'${otlp}','metrics':'${metrics}'}"}`);
}
