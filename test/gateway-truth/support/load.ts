import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Requests that go on until they are stopped. */
export interface Load {
  /** Request ids of those that were answered, whatever the status. */
  readonly answered: readonly string[];
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 70_000;
/** Between two requests of one client; so that the machine has time for the rest of it. */
const PAUSE_MS = 20;

/** Starts some clients, each with one request at a time. What gets no answer, such as while Kong is down, does not count. */
export function startLoad(
  port: number,
  path = '/metered',
  clients = 16,
  headers?: Readonly<Record<string, string>>,
): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const answered: string[] = [];
  const statuses = new Map<number, number>();
  let isStopped = false;

  const client = async (): Promise<void> => {
    while (!isStopped) {
      const answer = await ask(agent, port, path, headers);
      if (answer !== undefined) {
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        answered.push(answer.id);
      }
      await delay(PAUSE_MS);
    }
  };
  const running = Array.from({ length: clients }, client);
  return {
    answered,
    statuses,
    async stop() {
      isStopped = true;
      await Promise.all(running);
      agent.destroy();
    },
  };
}

/** One request; undefined when nothing came back. */
export function ask(
  agent: Agent | undefined,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = { apikey: 'alice-key' },
): Promise<{ readonly status: number; readonly id: string } | undefined> {
  return new Promise((resolve) => {
    const request = get({ agent, port, path, host: '127.0.0.1', headers }, (response) => {
      response.resume();
      response.on('error', () => resolve(undefined));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-kong-request-id']) });
      });
    });
    request.on('error', () => resolve(undefined));
    // While no worker accepts, and for longer than Kong itself waits for anything.
    request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy());
  });
}
