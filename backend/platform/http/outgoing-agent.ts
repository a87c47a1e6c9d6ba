import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { OutgoingPolicy } from './outgoing-address.ts';

/** An outgoing call would have gone where the operator has not allowed it to. */
export class RefusedAddress extends Error {
  readonly code = 'REFUSED_ADDRESS';
}

export interface OutgoingAgentOptions {
  policy: OutgoingPolicy;
  timeoutMs: number;
  /** Where the caller does not stop reading by itself. */
  maxResponseBytes?: number;
  /** To one host at the same time; undefined: two. */
  connections?: number;
  /** Of the machine unless told otherwise. */
  lookup?: (hostname: string, options: { all: true }, done: LookupDone) => void;
}

type LookupDone = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/**
 * An agent that connects only to addresses that the policy allows. A name is looked up once, its addresses are judged,
 * and the connection goes to one of these: whoever answers differently the next time is not asked again. The address
 * that the socket has in the end is judged once more. Redirects are not followed: undici does so only when told.
 */
export function createOutgoingAgent(options: OutgoingAgentOptions): Agent {
  const { policy, timeoutMs, maxResponseBytes = -1, connections = 2 } = options;
  const connect = buildConnector({ timeout: timeoutMs, lookup: judgedLookup(options) });
  return new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxResponseBytes,
    connections,
    keepAliveTimeout: 1,
    connect: (target, done) => {
      // A numeric address is not looked up.
      if (isIP(target.hostname) !== 0 && !policy.mayReach(target.hostname)) return done(new RefusedAddress(), null);
      connect(target, (error, socket) => {
        if (error !== null) return done(error, null);
        if (policy.mayReach(socket.remoteAddress ?? '')) return done(null, socket);
        socket.destroy();
        done(new RefusedAddress(), null);
      });
    },
  });
}

function judgedLookup({ policy, lookup = systemLookup }: OutgoingAgentOptions): LookupFunction {
  return (hostname, { all }, done) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const [first] = addresses;
      // One that is refused refuses all: which of them is connected to is left to chance.
      if (first === undefined || !addresses.every(({ address }) => policy.mayReach(address))) {
        return done(new RefusedAddress(), []);
      }
      if (all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}
