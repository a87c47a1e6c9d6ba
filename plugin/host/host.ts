import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, systemClock } from '../../delivery/clock.ts';
import type { Instances } from './answers.ts';
import { type Connection, type ConnectionHost, type Starts, serveConnection } from './connection.ts';
import { planPrefetch } from './events.ts';
import { createGathering } from './gathering.ts';
import { serveMsgpackConnection } from './msgpack/connection.ts';
import { createMsgpackEvents } from './msgpack/events.ts';
import type { HostedPlugin, Protocol } from './plugin-module.ts';
import type { Reports } from './reports.ts';
import { createTurn } from './turn.ts';

/** Serves the connections of Kong in one process. */
export interface Host {
  serve(socket: Socket): void;
  connectionCount(): number;
  /**
   * Another server has taken over: closes every connection in place of its next event, when Kong is sure to notice. Resolves
   * when none is left, or when those that are have been silent for so long that Kong closes them itself.
   */
  retire(): Promise<void>;
  /**
   * Lets what is under way come to its end and closes every connection; resolves when nothing is under way any more,
   * or after a moment all the same.
   */
  stop(): Promise<void>;
}

/**
 * Kong sends SIGKILL 46 to 80 ms after SIGTERM. An answer of Kong takes less than a millisecond, so whatever is still
 * under way after this long waits for something else, and the rest of the time is the plugin's.
 */
const FINISH_WITHIN_MS = 20;

/** Kong closes a connection that it has not used for a minute (lua_socket_keepalive_timeout). */
const RETIRED_WITHIN_MS = 65_000;

/** Whoever waits to be accepted has been by then, since the event loop has gone round. */
const ACCEPTED_WITHIN_MS = 100;

export interface HostOptions {
  readonly plugin: HostedPlugin;
  readonly instances: Instances;
  readonly reports: Reports;
  readonly clock?: Clock;
  /** What Kong speaks; default ProtoBuf:1. */
  readonly protocol?: Protocol;
  /** Is told of what Kong gives an event up for, should this process die before it has answered. */
  readonly starts?: Starts;
}

export function createHost(options: HostOptions): Host {
  const { plugin, instances, reports, clock = systemClock, protocol = 'ProtoBuf:1' } = options;
  const gathering = isAwaited(plugin) ? undefined : createGathering({ clock, isBehind: plugin.isBehind });
  const shared: ConnectionHost = {
    plugin,
    pluginInfo: {
      name: plugin.name,
      loadedAtSeconds: Math.floor(clock.epochMs() / 1000),
      phases: plugin.phases,
      version: plugin.version ?? '',
      priority: plugin.priority,
      schemaJson: JSON.stringify(plugin.schema),
    },
    prefetch: new Map(Array.from(plugin.prefetch, ([phase, calls]) => [phase, planPrefetch(calls)])),
    instances,
    turn: createTurn({ settle: plugin.settle, afterAnswers: gathering?.afterAnswers }),
    reports,
    starts: options.starts,
  };
  const connections = new Set<Connection>();
  let served = 0;
  let whenAllIdle: (() => void) | undefined;
  let whenAllGone: (() => void) | undefined;
  const events = createMsgpackEvents(() => {
    if (whenAllIdle !== undefined && areAllIdle()) whenAllIdle();
  }, clock);

  function serveOver(socket: Socket, onIdle: () => void): Connection {
    return protocol === 'MsgPack:1'
      ? serveMsgpackConnection(socket, shared, events, onIdle)
      : serveConnection(socket, shared, onIdle);
  }

  function afterWork(socket: Socket, connection: Connection): void {
    // One that closed while its plugin was at work is still to be waited for.
    if (socket.destroyed && connection.isIdle()) connections.delete(connection);
    if (connections.size === 0) whenAllGone?.();
    if (whenAllIdle !== undefined && areAllIdle()) whenAllIdle();
  }

  function pause(forMs: number): Promise<void> {
    return new Promise((resolve) => clock.setTimer(resolve, forMs));
  }

  /** Closes every connection, those that are yet to come included; resolves when none is left, or after so long. */
  async function allGone(withinMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    whenAllGone = resolve;
    for (const connection of connections) connection.retire();
    const deadline = clock.setTimer(resolve, withinMs, { background: true });
    if (connections.size > 0) await promise;
    deadline.cancel();
  }

  function areAllIdle(): boolean {
    for (const connection of connections) if (!connection.isIdle()) return false;
    return true;
  }

  return {
    serve(socket) {
      const connection: Connection = serveOver(socket, () => afterWork(socket, connection));
      connections.add(connection);
      served++;
      gathering?.connected();
      socket.on('close', () => afterWork(socket, connection));
      if (whenAllIdle !== undefined) connection.finish();
      else if (whenAllGone !== undefined) connection.retire();
    },
    connectionCount: () => connections.size,
    async retire() {
      const until = clock.now() + RETIRED_WITHIN_MS;
      let servedBefore: number;
      do {
        servedBefore = served;
        await allGone(until - clock.now());
        // What had connected before the other server took over may still wait to be accepted, one a turn.
        await pause(ACCEPTED_WITHIN_MS);
      } while (served > servedBefore && clock.now() < until);
    },
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      whenAllIdle = resolve;
      // What has arrived already is still read.
      await nextTurn();
      for (const connection of connections) connection.finish();
      const deadline = clock.setTimer(resolve, FINISH_WITHIN_MS);
      if (!areAllIdle()) await promise;
      deadline.cancel();
      // The last answers leave at the end of this turn.
      await nextTurn();
    },
  };
}

/** Whether a client waits for any phase of the plugin: calls are made in advance where nobody does. */
function isAwaited({ phases, prefetch }: HostedPlugin): boolean {
  return phases.some((phase) => !prefetch.has(phase));
}
