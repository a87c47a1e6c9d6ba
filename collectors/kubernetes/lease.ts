import type { Clock } from '../../delivery/clock.ts';
import { pause } from '../core/source.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { instantOf, instantText } from './instants.ts';
import { at, isObject, type JsonObject, textAt } from './json.ts';

export interface LeaseSettings {
  readonly namespace: string;
  readonly name: string;
  readonly durationMs: number;
  /** Who we are to the others: the name of the pod, as a rule. */
  readonly identity: string;
}

/**
 * Who of several collectors of one name counts. It saves work; what makes figures right are the ids. Clocks are never
 * compared: a lease has run out when nobody has renewed it for its duration by our own watch, and who holds it stops by itself
 * after two thirds of it. Whoever follows goes on where the holder has got to, which stands in an annotation.
 */
export interface Lease {
  /** undefined = it is not known yet who holds it. */
  readonly state: 'holder' | 'standby' | undefined;
  /** Up to when the holder has counted, as far as it has said. */
  readonly markMs: number | undefined;
  /** Asks and renews until the signal, then gives it back. */
  keep(signal: AbortSignal): Promise<void>;
}

export interface LeaseSurroundings {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** Up to when we have counted. */
  closedMs(): number | undefined;
  onTrouble(error: unknown): void;
}

const CLOSED_TO = 'openmeter.io/closed-to';
/** A lease of more is a mistake of who wrote it. */
const MAX_DURATION_SECONDS = 3600;

export function createLease(settings: LeaseSettings, { client, clock, closedMs, onTrouble }: LeaseSurroundings): Lease {
  const { durationMs, identity } = settings;
  const all = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(settings.namespace)}/leases`;
  const one = `${all}/${encodeURIComponent(settings.name)}`;
  let renewedAt: number | undefined;
  let observed: { readonly version: string | undefined; readonly at: number } | undefined;
  let markMs: number | undefined;
  let isStandby = false;
  let last: JsonObject | undefined;

  const isHolder = () => renewedAt !== undefined && clock.now() - renewedAt < (durationMs * 2) / 3;

  const claimed = (found: JsonObject | undefined, holder: string) =>
    leaseOf(settings, { found, holder, nowMs: clock.epochMs(), upToMs: closedMs() ?? markMs });

  async function round(signal: AbortSignal): Promise<void> {
    const askedAt = clock.now();
    const found = await client.get(one, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
    if (found === undefined)
      return wrote(await client.send('POST', all, claimed(undefined, identity), signal), askedAt);
    const version = textAt(found, 'metadata', 'resourceVersion');
    if (observed === undefined || observed.version !== version) observed = { version, at: askedAt };
    markMs = instantOf(at(found, 'metadata', 'annotations', CLOSED_TO)) ?? markMs;
    const holder = textAt(found, 'spec', 'holderIdentity');
    if (holder === undefined || holder === identity || hasRunOut(found)) {
      return wrote(await client.send('PUT', one, claimed(found, identity), signal), askedAt);
    }
    renewedAt = undefined;
    isStandby = true;
  }

  function wrote(lease: JsonObject, askedAt: number): void {
    last = lease;
    renewedAt = askedAt;
    isStandby = false;
    observed = { version: textAt(lease, 'metadata', 'resourceVersion'), at: askedAt };
  }

  function hasRunOut(lease: JsonObject): boolean {
    const seconds = at(lease, 'spec', 'leaseDurationSeconds');
    const isSane = typeof seconds === 'number' && seconds > 0 && seconds <= MAX_DURATION_SECONDS;
    return observed !== undefined && clock.now() - observed.at >= (isSane ? seconds * 1000 : durationMs);
  }

  return {
    get state() {
      if (isHolder()) return 'holder';
      return isStandby || renewedAt !== undefined ? 'standby' : undefined;
    },
    get markMs() {
      return markMs;
    },
    async keep(signal) {
      while (!signal.aborted) {
        try {
          await round(signal);
        } catch (error) {
          if (signal.aborted) break;
          // Another was quicker: who, is asked in the next round.
          if (!(error instanceof ApiError && error.status === 409)) onTrouble(error);
        }
        await pause(clock, durationMs / 3, signal);
      }
      if (!isHolder()) return;
      renewedAt = undefined;
      const release = new AbortController();
      const timer = clock.setTimer(() => release.abort(), RELEASE_MS);
      await client.send('PUT', one, claimed(last, ''), release.signal).catch(() => {});
      timer.cancel();
    },
  };
}

/** The next one need not wait; but nobody waits for that. */
const RELEASE_MS = 2000;

interface Claim {
  readonly found: JsonObject | undefined;
  /** Empty = it is given back. */
  readonly holder: string;
  readonly nowMs: number;
  readonly upToMs: number | undefined;
}

/** The lease as it is to be: what else stands in the one that was found stays, its version too. */
function leaseOf({ namespace, name, durationMs }: LeaseSettings, { found, holder, nowMs, upToMs }: Claim): JsonObject {
  const now = new Date(nowMs).toISOString().replace('Z', '000Z');
  const spec = at(found, 'spec');
  const isOurs = textAt(spec, 'holderIdentity') === holder;
  const before = at(spec, 'leaseTransitions');
  const metadata = at(found, 'metadata');
  const annotations = at(metadata, 'annotations');
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...(isObject(metadata) ? metadata : {}),
      name,
      namespace,
      annotations: {
        ...(isObject(annotations) ? annotations : {}),
        ...(upToMs !== undefined && { [CLOSED_TO]: instantText(upToMs) }),
      },
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: isOurs ? (textAt(spec, 'acquireTime') ?? now) : now,
      renewTime: now,
      leaseTransitions:
        (typeof before === 'number' ? before : 0) + (isOurs || holder === '' || found === undefined ? 0 : 1),
    },
  };
}
