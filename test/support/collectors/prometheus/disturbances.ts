import { type ChildProcess, fork } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { IngestServer } from '../ingest-server.ts';
import { type QueryServer, vector } from './query-server.ts';

/** What may befall a collector; each is the state of its world until another one of its kind. */
export type Disturbance =
  | { readonly kind: 'end'; readonly signal: 'SIGKILL' | 'SIGTERM' }
  /** A second one with the same name and configuration, and a spool of its own; or its end. */
  | { readonly kind: 'second'; readonly isRunning: boolean }
  | { readonly kind: 'clock'; readonly aheadMs: number }
  | { readonly kind: 'source'; readonly fault: Fault }
  | { readonly kind: 'backend'; readonly isDown: boolean };

export const FAULTS = [
  'none',
  'refused',
  'cut',
  'hung',
  'half',
  'partial',
  'empty and partial',
  'garbage',
  'slow',
] as const;
export type Fault = (typeof FAULTS)[number];

/** How the server answers under a fault; undefined = as it is. */
function faulty(fault: Fault, response: ServerResponse): 'done' | undefined {
  switch (fault) {
    case 'none':
    case 'slow':
      return undefined;
    case 'refused':
      response.writeHead(503).end('Service Unavailable');
      return 'done';
    case 'cut':
      response.destroy();
      return 'done';
    case 'hung':
      // Until the fault is over: see clear.
      return 'done';
    case 'half':
      response.writeHead(200, { 'content-length': '500' }).write('{"status":"success","data":{"resultType":"vector"');
      response.destroy();
      return 'done';
    case 'partial':
      response.end(vector([{ metric: { tenant: 'a' }, value: [1, '1000000'] }], { warnings: ['a store is away'] }));
      return 'done';
    case 'empty and partial':
      response.end(vector([], { warnings: ['a store is away'] }));
      return 'done';
    case 'garbage':
      response.end('<html>Log in, please</html>');
      return 'done';
    default:
      return fault satisfies never;
  }
}

const CHILD = fileURLToPath(new URL('./collect-child.ts', import.meta.url));

/** A world with one collector, in which a sequence of disturbances is played. */
export function createWorld(source: QueryServer, ingest: IngestServer, configFile: (spool: string) => string) {
  let fault: Fault = 'none';
  let aheadMs = 0;
  let main: ChildProcess | undefined;
  let second: ChildProcess | undefined;
  const hanging = new Set<ServerResponse>();
  const start = (spool: string) => {
    const child = fork(CHILD, ['--config', configFile(spool)], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.send(aheadMs);
    return child;
  };
  source.answer = (_question, response) => {
    if (fault === 'hung') hanging.add(response);
    return faulty(fault, response);
  };

  async function end(child: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
  function setFault(next: Fault): void {
    fault = next;
    for (const response of hanging) response.destroy();
    hanging.clear();
  }

  return {
    begin() {
      main = start('first');
    },
    async apply(disturbance: Disturbance): Promise<void> {
      switch (disturbance.kind) {
        case 'end':
          await end(main, disturbance.signal);
          main = start('first');
          break;
        case 'second':
          await end(second, 'SIGKILL');
          second = disturbance.isRunning ? start('second') : undefined;
          break;
        case 'clock':
          aheadMs = disturbance.aheadMs;
          for (const child of [main, second]) if (child?.connected === true) child.send(aheadMs);
          break;
        case 'source':
          setFault(disturbance.fault);
          break;
        case 'backend':
          ingest.answer = () => ({ status: disturbance.isDown ? 503 : 204 });
          break;
        default:
          disturbance satisfies never;
      }
    },
    async close(): Promise<void> {
      setFault('none');
      await Promise.all([end(main, 'SIGKILL'), end(second, 'SIGKILL')]);
    },
  };
}
