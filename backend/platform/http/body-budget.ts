import { RequestProblem } from '../errors.ts';

/** Bytes of bodies that have arrived and whose requests are not answered yet. */
export interface BodyBudget {
  /** A request's own account. */
  open(holder: BodyHolder): BodyAccount;
  /** Bytes held now. */
  held(): number;
}

export interface BodyHolder {
  /** The connection, whose requests may come one upon the other; undefined for requests that come from none. */
  connection: object | undefined;
  /** Whose token it is; undefined where none is asked for. */
  tokenId: string | undefined;
}

export interface BodyAccount {
  /** @throws RequestProblem 503 when that is more than all, the token or the connection may hold */
  take(bytes: number): void;
  /** Gives all back. May be called again. */
  close(): void;
}

const RETRY_AFTER_SECONDS = 1;

/** Room for six of the largest bodies that a default installation takes. */
const DEFAULT_BYTES_IN_FLIGHT = 67_108_864;

/**
 * Bounds what bodies hold in memory. Whoever would hold more is told to come again: waiting would hold what has arrived.
 * @param maxBodyBytesInFlight of all; a token may have half of it, so that one sender alone cannot keep the others out
 * @param maxBodyBytes of one body, and of a connection
 */
export function createBodyBudget({
  maxBodyBytes,
  maxBodyBytesInFlight = DEFAULT_BYTES_IN_FLIGHT,
}: {
  maxBodyBytes: number;
  maxBodyBytesInFlight?: number | undefined;
}): BodyBudget {
  // One body alone is always let in: nobody could ever send it otherwise.
  const all = Math.max(maxBodyBytesInFlight, maxBodyBytes);
  const ofToken = Math.max(Math.floor(all / 2), maxBodyBytes);
  let held = 0;
  const byToken = new Map<string, number>();
  const byConnection = new WeakMap<object, number>();
  return {
    held: () => held,
    open({ connection, tokenId }) {
      let own = 0;
      const add = (bytes: number): void => {
        own += bytes;
        held += bytes;
        if (connection !== undefined) byConnection.set(connection, (byConnection.get(connection) ?? 0) + bytes);
        if (tokenId === undefined) return;
        const left = (byToken.get(tokenId) ?? 0) + bytes;
        if (left === 0) byToken.delete(tokenId);
        else byToken.set(tokenId, left);
      };
      return {
        take(bytes) {
          const token = tokenId === undefined ? 0 : (byToken.get(tokenId) ?? 0);
          const pipelined = connection === undefined ? 0 : (byConnection.get(connection) ?? 0);
          if (held + bytes > all) throw full('Too many bytes of requests are being worked on');
          if (token + bytes > ofToken) throw full('Too many bytes of this token are being worked on');
          if (pipelined + bytes > maxBodyBytes) throw full('Too many bytes of this connection are being worked on');
          add(bytes);
        },
        close: () => add(-own),
      };
    },
  };
}

function full(reason: string): RequestProblem {
  return new RequestProblem('unavailable', `${reason}; nothing of this one was taken. Try again.`, [], {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
