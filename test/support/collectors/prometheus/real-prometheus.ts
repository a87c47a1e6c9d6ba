import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fetch } from 'undici';

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;
/** For the name of tests that are skipped. */
export const HOW_TO_GET_IT = 'needs a real Prometheus: apt-get install prometheus';

/** One series with its samples; milliseconds since 1970, and the digits. */
export interface History {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [number, string])[];
}

export interface RealPrometheus {
  readonly url: string;
  /** The first value of the first series of an instant query; undefined = there is none. */
  ask(promql: string, atMs: number): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]>;
  /** SIGKILL, and a start with the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Debian's Prometheus in a folder of its own, with a history that is written by promtool, or with targets that it scrapes
 * each second.
 */
export async function startPrometheus(
  history: readonly History[],
  targets: readonly string[] = [],
): Promise<RealPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  if (history.length > 0) {
    writeFileSync(join(folder, 'history.txt'), openMetricsOf(history));
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'history.txt'), data]);
  }
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: targets.length === 0 ? [] : [{ job_name: 'app', static_configs: [{ targets }] }],
    }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child = run();

  function run() {
    return spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--storage.tsdb.retention.time=100y',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
  }
  async function untilReady(): Promise<void> {
    for (;;) {
      const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
      await answer?.text();
      if (answer?.status === 200) return;
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
      await pause(50);
    }
  }
  async function kill(): Promise<void> {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  await untilReady();
  return {
    url,
    async ask(promql, atMs) {
      const query = new URLSearchParams({ query: promql, time: String(atMs / 1000) });
      const answer = (await (await fetch(`${url}/api/v1/query?${query}`)).json()) as { data: { result: never[] } };
      return answer.data.result;
    },
    async restart() {
      await kill();
      child = run();
      await untilReady();
    },
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openMetricsOf(history: readonly History[]): string {
  const byName = Map.groupBy(history, ({ name }) => name);
  const lines = [...byName].flatMap(([name, series]) =>
    series.flatMap(({ labels = {}, samples }) => {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return samples.map(([atMs, value]) => `${name}{${pairs.join(',')}} ${value} ${atMs / 1000}`);
    }),
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
