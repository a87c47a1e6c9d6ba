import { randomInt } from 'node:crypto';
import { Socket } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import type { Instances, StartedInstance } from './answers.ts';
import type { Starts } from './connection.ts';
import type { Ending } from './ending.ts';
import { framesOf } from './frames.ts';
import { createHost, type Host } from './host.ts';
import { createHeir } from './inherited-connection.ts';
import { BACKLOG, type ListenerPlace, useOf } from './listening.ts';
import { acceptWith, type ListeningHandle, sendable } from './listening-handle.ts';
import type { HostedPlugin, Protocol } from './plugin-module.ts';
import { plainError, type Reports } from './reports.ts';
import { createRequests, type Requests } from './requests.ts';
import { startInstance } from './serve-alone.ts';
import type { ToFirst, ToWorker } from './worker-messages.ts';

/** The socket that the first process listens at, for the time after it. */
interface Inheritance {
  /** Keeps the socket open: what connects waits in the kernel, and is not refused. */
  readonly handle: ListeningHandle;
  readonly place: ListenerPlace | undefined;
}

/**
 * The first process asks every second whether this one is alive. One that has not for ten seconds hangs, and with it
 * every new connection: it is killed, whoever started it starts another, and until then the workers listen themselves.
 */
const LOOK_MS = 1000;
const SILENT_LOOKS = 10;

/**
 * Serves the connections that the first process hands over, with the instances that it knows; and, when the first
 * process is killed, whatever connects, until another server has taken the path.
 */
export function serveAsWorker(plugin: HostedPlugin, ending: Ending, reports: Reports, protocol: Protocol): void {
  const started = new Map<number, StartedInstance>();
  const requests = createRequests<number | undefined>();
  const ids = new WeakMap<Socket, number>();
  const first = watchFirst(reports, firstGone);
  const instances = sharedInstances(plugin, started, requests, first);
  const host = createHost({ plugin, instances, reports, protocol, starts: startsOf(ids) });
  const inherit = createHeir({ protocol, serve: host.serve });
  let inheritance: Inheritance | undefined;

  function firstGone(): void {
    requests.answerAll(undefined);
    if (inheritance?.place !== undefined) succeed(inheritance, host, reports);
  }

  function open({ request, id, configJson, startedAtSeconds }: ToWorker & { kind: 'open' }): void {
    try {
      started.set(id, startInstance(plugin, configJson, startedAtSeconds));
    } catch (error) {
      reports.instanceFailed(error);
    }
    tell({ kind: 'done', request, isDone: started.has(id) });
  }

  /** As if Kong had asked again: it waits for the answer, and sends nothing before it has it. */
  function serveAnew(socket: Socket, call: Buffer): void {
    socket.pause().unshift(framesOf(call));
    host.serve(socket);
    socket.resume();
  }

  function serve({ connection, isUsed, unanswered }: ToWorker & { kind: 'serve' }, socket: unknown): void {
    // Not there when Kong has closed it on the way.
    if (!(socket instanceof Socket)) {
      tell({ kind: 'ended', connection });
      return;
    }
    tell({ kind: 'arrived', connection });
    socket.on('close', () => tell({ kind: 'ended', connection }));
    ids.set(socket, connection);
    if (unanswered !== undefined) serveAnew(socket, Buffer.from(unanswered, 'base64'));
    else if (isUsed) inherit(socket);
    else host.serve(socket);
  }

  process.on('message', (message: ToWorker, handle: unknown) => {
    switch (message.kind) {
      case 'open':
        return open(message);
      case 'close':
        return tell({ kind: 'done', request: message.request, isDone: started.delete(message.id) });
      case 'answer':
        return requests.answer(message.request, message.id);
      case 'other-gone':
        return plugin.otherGone?.();
      case 'serve':
        return serve(message, handle);
      case 'listener':
        inheritance = { handle: handle as ListeningHandle, place: message.place };
        return;
      case 'copy':
        return tell({ kind: 'copy', request: message.request }, inheritance?.handle);
      case 'retire':
        return void host.retire();
      case 'ping':
        first.isAlive();
        return tell({ kind: 'pong' });
    }
  });
  ending.onRequest(
    () => host.stop(),
    // Also without connections, as one that has only just started: whoever replaces the first process needs its time.
    () => (inheritance?.place === undefined ? 'none' : useOf(inheritance.place, Math.max(1, host.connectionCount()))),
    host.retire,
  );
  tell({ kind: 'ready' });
}

function succeed({ handle }: Inheritance, host: Host, reports: Reports): void {
  const failed = (error: Error): void => reports.failed('the socket of the first process cannot be used', error);
  const serve = (connection: Socket): void => {
    host.serve(connection);
    connection.resume();
  };
  acceptWith(handle, BACKLOG, serve, failed);
  reports.info('the first process is gone: a worker listens');
}

interface First {
  readonly isGone: boolean;
  isAlive(): void;
}

/**
 * That it is gone is told by the end of the standard input, a pipe of which it has the other end: Node says nothing of the end
 * of the channel to it while a socket that was sent over that one has not been confirmed.
 */
function watchFirst(reports: Reports, onGone: () => void): First {
  const pid = process.ppid;
  let silentLooks = 0;
  let isGone = false;
  const gone = (): void => {
    if (isGone) return;
    isGone = true;
    onGone();
  };
  process.stdin.on('end', gone).on('error', gone).resume();
  const look = (): void => {
    if (isGone || process.ppid !== pid) return;
    if (++silentLooks > SILENT_LOOKS) {
      reports.info('the first process does not answer any more and is killed');
      process.kill(pid, 'SIGKILL');
      return;
    }
    systemClock.setTimer(look, LOOK_MS, { background: true });
  };
  look();
  return {
    get isGone() {
      return isGone;
    },
    isAlive() {
      silentLooks = 0;
    },
  };
}

/** The first process keeps a call to start an instance until it is answered, should this worker die before. */
function startsOf(ids: WeakMap<Socket, number>): Starts {
  return {
    asked(socket, payload) {
      const connection = ids.get(socket);
      if (connection !== undefined) tell({ kind: 'asked', connection, call: payload.toString('base64') });
    },
    answered(socket) {
      const connection = ids.get(socket);
      if (connection !== undefined) tell({ kind: 'answered', connection });
    },
  };
}

function sharedInstances(
  plugin: HostedPlugin,
  started: Map<number, StartedInstance>,
  requests: Requests<number | undefined>,
  first: First,
): Instances {
  /** Without the first process, for this worker alone: another one tells Kong to start it there as well. */
  function startHere(configJson: string): number {
    let id = randomInt(1, 2 ** 31 - 1);
    while (started.has(id)) id = randomInt(1, 2 ** 31 - 1);
    started.set(id, startInstance(plugin, configJson));
    return id;
  }

  return {
    find: (id) => started.get(id),
    async start(configJson) {
      if (first.isGone) return startHere(configJson);
      const id = await requests.send((request) => tell({ kind: 'start', request, configJson }));
      if (id !== undefined) return id;
      if (first.isGone) return startHere(configJson);
      throw plainError('a worker could not start the instance');
    },
    async close(id) {
      const isClosed =
        !first.isGone && (await requests.send((request) => tell({ kind: 'stop', request, id }))) !== undefined;
      return first.isGone ? started.delete(id) : isClosed;
    },
  };
}

/** Once the first process is gone, nobody waits for what this one had to say. */
function tell(message: ToFirst, handle?: ListeningHandle): void {
  // Without somebody who takes the error, a message too late would end the process before it has flushed.
  if (process.connected) process.send?.(message, sendable(handle), undefined, () => undefined);
}
