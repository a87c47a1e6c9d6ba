import type { Server, ServerResponse } from 'node:http';

/** What answers that are written may hold while their clients do not take them; see `leaveUnreadAnswers`. */
export interface UnreadLimits {
  /** Of all connections together. */
  maxBytes: number;
  /** Who has taken nothing for so long is left, however little it is. */
  idleMs: number;
  /** Who has taken nothing for so long is left while all together hold too much. */
  graceMs: number;
  everyMs: number;
}

/** Sixteen of the longest pages; a client on a phone takes something every second. */
const LIMITS: UnreadLimits = { maxBytes: 64 * 1024 * 1024, idleMs: 60_000, graceMs: 2_000, everyMs: 250 };

/**
 * Leaves clients that do not take their answers. Node keeps what was written until they do, for ever: two hundred of
 * them, each with a page of some megabytes, would be the whole memory.
 */
export function leaveUnreadAnswers(server: Server, limits: UnreadLimits = LIMITS): void {
  /** With the timeout that we have set for their connections: Node's own know how much of a write the client has taken. */
  const answers = new Map<ServerResponse, number>();
  server.on('request', (_request, response) => {
    answers.set(response, 0);
    response.once('close', () => answers.delete(response));
  });
  const timer = setInterval(() => look(answers, limits), limits.everyMs).unref();
  server.once('close', () => clearInterval(timer));
}

/** A connection that times out is ended by the server, as nobody listens for it. */
function look(answers: Map<ServerResponse, number>, { maxBytes, idleMs, graceMs }: UnreadLimits): void {
  let total = 0;
  for (const response of answers.keys()) total += response.writableLength;
  const timeoutMs = total > maxBytes ? graceMs : idleMs;
  for (const [response, set] of answers) {
    // Nothing waits: whoever makes the answer may take his time.
    const wanted = response.writableLength === 0 ? 0 : timeoutMs;
    if (wanted === set) continue;
    answers.set(response, wanted);
    response.socket?.setTimeout(wanted);
  }
}
