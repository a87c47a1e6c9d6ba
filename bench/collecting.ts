import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fetch } from 'undici';
import { type CollectorParts, collectorConfig } from '../test/support/collectors/collector-config.ts';
import { type BenchProcess, startProcess } from './processes.ts';

/** What every bench of a collector has: numbers from its command line, a folder, and an endpoint that takes everything. */
export interface CollectBench<Name extends string> {
  readonly numbers: Record<Name, number>;
  readonly folder: string;
  /** Starts one as `npm run collect` does, with a disk of its own. */
  start(round: number, parts: Omit<CollectorParts, 'name' | 'url' | 'spool'>): Promise<BenchCollector>;
  close(): Promise<void>;
}

export interface BenchCollector {
  readonly process: BenchProcess;
  /** Where it takes OTLP over HTTP, if it does. */
  readonly otlp: string;
  /** Resolves when it has sent so many events. @returns the most memory that was resident meanwhile, bytes */
  untilSent(count: number): Promise<number>;
}

/** @param defaults of the numbers, which are options of the command line */
export async function startCollectBench<Name extends string>(
  name: string,
  defaults: Record<Name, number>,
): Promise<CollectBench<Name>> {
  const named = Object.entries<number>(defaults).map(([key, value]) => [key, { type: 'string', default: `${value}` }]);
  const { values } = parseArgs({
    options: { ...Object.fromEntries(named), dir: { type: 'string', default: tmpdir() } },
  });
  const { dir, ...texts } = values as Record<string, string>;
  const numbers = Object.entries(texts).map(([key, text]) => [key, Number.parseInt(text, 10)]);
  const folder = mkdtempSync(join(dir ?? tmpdir(), `bench-${name}-`));
  const receiver = await startProcess(['bench/event-receiver.ts'], {});
  return {
    numbers: Object.fromEntries(numbers),
    folder,
    start(round, parts) {
      const file = join(folder, 'config.yaml');
      const spool = join(folder, `spool-${round}.sqlite`);
      writeFileSync(file, collectorConfig({ ...parts, name: `bench-${round}`, url: receiver.url, spool }));
      return startCollector(file);
    },
    async close() {
      await receiver.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startCollector(file: string): Promise<BenchCollector> {
  // With the flags that "npm run collect" has.
  const flags = ['--max-semi-space-size=4', '--max-old-space-size=256'];
  const process = await startProcess([...flags, 'bench/collect-process.ts', file], {});
  const { otlp, metrics } = JSON.parse(process.url.replaceAll("'", '"')) as { otlp: string; metrics: string };
  return {
    process,
    otlp,
    async untilSent(count) {
      const sent = new RegExp(`openmeter_events_sent\\{[^}]*\\} ${count}\\b`);
      for (let memory = 0; ; await pause(50)) {
        const text = await (await fetch(`${metrics}/metrics`)).text();
        memory = Math.max(memory, process.memoryBytes());
        if (sent.test(text)) return memory;
      }
    },
  };
}
