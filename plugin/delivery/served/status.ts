import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '../clock.ts';
import type { StatusCounts } from './run.ts';

/** The gateway's counts of requests, as its status endpoint tells them. */
export interface GatewayStatus {
  /**
   * The counts since the gateway started, with this very request.
   * @throws Error with a `code`, when there is no answer, or none that has the counts. Nothing of the answer is quoted.
   */
  read(): Promise<StatusCounts>;
  /** Closes the connection; a reading under way fails. */
  close(): void;
}

/** The endpoint is of this machine and computes nothing: whoever does not answer by then will not. */
const TIMEOUT_MS = 5000;
/** The memory of each worker is in the answer: some 150 bytes, with a hundred of them on a large machine. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Over one connection that is kept, and that keeps no process alive.
 * @param onHangUp told when the connection ends, as it does when the gateway is reloaded or ends
 */
export function createGatewayStatus(url: URL, clock: Clock, onHangUp: () => void): GatewayStatus {
  const known = new WeakSet<object>();
  const { Agent, get } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    read: () =>
      new Promise((resolve, reject) => {
        const request = get(url, { agent, headers: { accept: 'application/json' } }, (response) => {
          readAnswer(response).then(countsOf).then(resolve, reject);
        });
        const timeOut = () => request.destroy(problem('TIMEOUT'));
        const timer = clock.setTimer(timeOut, TIMEOUT_MS, { background: true });
        request.on('socket', (socket) => {
          if (!known.has(socket)) socket.once('close', onHangUp);
          known.add(socket.unref());
        });
        request.on('error', reject);
        request.on('close', () => timer.cancel());
      }),
    close: () => agent.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > MAX_ANSWER_BYTES) throw problem('ANSWER_TOO_LARGE');
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) throw problem(`STATUS_${response.statusCode}`);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * `{"server": {"total_requests": 25, …}, "memory": {"workers_lua_vms": [{"pid": 7, …}, …]}, …}`, as Kong's Status API and
 * its Admin API answer.
 */
function countsOf(text: string): StatusCounts {
  const answer = parse(text);
  const server = fieldOf(answer, 'server');
  const count = (name: string): number => {
    const value = fieldOf(server, name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw problem('NO_COUNT');
  };
  const vms = fieldOf(fieldOf(answer, 'memory'), 'workers_lua_vms');
  const pids = (Array.isArray(vms) ? vms : []).map((vm: unknown) => fieldOf(vm, 'pid'));
  return {
    total: count('total_requests'),
    reading: count('connections_reading'),
    writing: count('connections_writing'),
    accepted: count('connections_accepted'),
    handled: count('connections_handled'),
    workers: pids.filter((pid) => Number.isSafeInteger(pid)) as number[],
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw problem('NO_JSON');
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function problem(code: string): Error {
  return Object.assign(new Error(code), { code });
}
