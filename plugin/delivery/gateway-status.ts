import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from './clock.ts';

/** The gateway's count of requests, as its status endpoint tells it. */
export interface GatewayStatus {
  /**
   * The requests that the gateway has begun since it started, this very one included.
   * @throws Error with a `code`, when there is no answer, or none that has the count. Nothing of the answer is quoted.
   */
  readTotal(): Promise<number>;
  /** Closes the connection; a reading under way fails. */
  close(): void;
}

/** The endpoint is of this machine and computes nothing: whoever does not answer by then will not. */
const TIMEOUT_MS = 5000;
/** The memory of each worker is in the answer: some 150 bytes, with a hundred of them on a large machine. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Over one connection that is kept, and that keeps no process alive. */
export function createGatewayStatus(url: URL, clock: Clock): GatewayStatus {
  const { Agent, get } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    readTotal: () =>
      new Promise((resolve, reject) => {
        const request = get(url, { agent, headers: { accept: 'application/json' } }, (response) => {
          readAnswer(response).then(totalOf).then(resolve, reject);
        });
        const timeOut = () => request.destroy(problem('TIMEOUT'));
        const timer = clock.setTimer(timeOut, TIMEOUT_MS, { background: true });
        request.on('socket', (socket) => socket.unref());
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

/** `{"server": {"total_requests": 25, …}, …}`, as Kong's Status API and its Admin API answer. */
function totalOf(text: string): number {
  const total = fieldOf(fieldOf(parse(text), 'server'), 'total_requests');
  if (typeof total === 'number' && Number.isSafeInteger(total) && total >= 0) return total;
  throw problem('NO_COUNT');
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
