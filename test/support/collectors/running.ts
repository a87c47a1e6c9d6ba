import { runCollect } from '../../../collectors/cli.ts';
import { type Clock, systemClock } from '../../../delivery/clock.ts';
import { createLog } from '../../../delivery/log.ts';

/** A collector that runs in this process, as the command starts it. */
export interface RunningCollect {
  /** What it logged, a JSON object each. */
  readonly logged: readonly Record<string, unknown>[];
  readonly printed: readonly string[];
  readonly said: readonly string[];
  /** Resolves with what a log line says, as soon as there is one with this message. */
  line(msg: string): Promise<Record<string, unknown>>;
  /** Resolves with the exit code, when it ends by itself. */
  readonly ended: Promise<number>;
  /** As SIGTERM does. */
  stop(): Promise<number>;
}

export function startCollect(
  config: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
  clock: Clock = systemClock,
): RunningCollect {
  const stopper = new AbortController();
  const logged: Record<string, unknown>[] = [];
  const printed: string[] = [];
  const said: string[] = [];
  let tell = () => {};
  const ended = runCollect(['--config', 'config.yaml', ...args], {
    environment,
    clock,
    random: Math.random,
    log: createLog((text) => {
      logged.push(JSON.parse(text) as Record<string, unknown>);
      tell();
    }),
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    readText: () => config,
    signal: stopper.signal,
  });
  return {
    logged,
    printed,
    said,
    ended,
    async line(msg) {
      for (;;) {
        const found = logged.find((one) => one['msg'] === msg);
        if (found !== undefined) return found;
        const { promise, resolve } = Promise.withResolvers<void>();
        tell = resolve;
        const code = await Promise.race([promise, ended]);
        if (typeof code === 'number') throw new Error(`it ended with ${code}: ${said.join('\n')}`);
      }
    },
    stop() {
      stopper.abort();
      return ended;
    },
  };
}
