import type { Socket } from 'node:net';
import type { Connection, ConnectionHost } from '../connection.ts';
import { runPhase } from '../run-phase.ts';
import { decode, encode } from './codec.ts';
import type { MsgpackEvents, Step, StepResult } from './events.ts';

/** A call of Kong: [0, id, method, arguments]. */
interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface State {
  readonly host: ConnectionHost;
  readonly events: MsgpackEvents;
  readonly socket: Socket;
  readonly onIdle: () => void;
  waiting: Buffer;
  /** Calls that wait for their answer. Kong sends one at a time. */
  answering: number;
  isFinishing: boolean;
}

/** As much as a reply of Kong may be over the other protocol. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Serves one connection of Kong over MsgPack:1. The steps of one event may come over several. */
export function serveMsgpackConnection(
  socket: Socket,
  host: ConnectionHost,
  events: MsgpackEvents,
  onIdle: () => void,
): Connection {
  const state: State = { host, events, socket, onIdle, waiting: Buffer.alloc(0), answering: 0, isFinishing: false };
  // 'close' follows; what it means is the same whichever side went first, and why.
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => takeBytes(state, chunk));
  return {
    isIdle: () => isIdle(state),
    finish() {
      state.isFinishing = true;
      if (isIdle(state)) socket.end();
    },
    retire() {
      state.isFinishing = true;
    },
  };
}

function isIdle({ answering, events }: State): boolean {
  return answering === 0 && events.size === 0;
}

function takeBytes(state: State, chunk: Buffer): void {
  state.waiting = state.waiting.length === 0 ? chunk : Buffer.concat([state.waiting, chunk]);
  try {
    for (let found = decode(state.waiting); found !== undefined; found = decode(state.waiting)) {
      state.waiting = state.waiting.subarray(found.end);
      takeMessage(state, found.value);
      if (state.waiting.length === 0) return;
    }
  } catch {
    refuse(state, 'a message that is no MessagePack');
    return;
  }
  if (state.waiting.length > MAX_MESSAGE_BYTES) refuse(state, `a message of more than ${MAX_MESSAGE_BYTES} bytes`);
}

function takeMessage(state: State, message: unknown): void {
  const [kind, id, method, args] = Array.isArray(message) ? (message as unknown[]) : [];
  if (kind !== 0 || typeof id !== 'number' || typeof method !== 'string' || !Array.isArray(args)) {
    refuse(state, 'a message that is no call');
    return;
  }
  state.answering++;
  void answer(state, { id, method, args: args as unknown[] });
}

async function answer(state: State, call: Call): Promise<void> {
  const { host } = state;
  const [first] = call.args;
  const fields = (typeof first === 'object' && first !== null ? first : {}) as Readonly<Record<string, unknown>>;
  try {
    switch (call.method) {
      case 'plugin.StartInstance':
        return reply(state, call, null, await startInstance(host, fields));
      case 'plugin.CloseInstance': {
        const wasThere = typeof first === 'number' && (await host.instances.close(first));
        return wasThere ? reply(state, call, null, {}) : reply(state, call, noInstance(first));
      }
      case 'plugin.HandleEvent':
        return startEvent(state, call, fields);
      default:
        return call.method.startsWith('plugin.Step')
          ? takeStep(state, call, fields)
          : reply(state, call, `${call.method} is not known`);
    }
  } catch (error) {
    host.reports.instanceFailed(error);
    reply(state, call, 'the instance could not be started');
  }
}

/** Without the configuration, which stock servers send back: Kong has it, and it has secrets in it. */
async function startInstance({ instances, plugin }: ConnectionHost, fields: Readonly<Record<string, unknown>>) {
  const { Name, Config } = fields;
  if (Name !== plugin.name) throw new TypeError('there is no such plugin');
  const id = await instances.start(typeof Config === 'string' ? Config : '{}');
  return { Name: plugin.name, Id: id, StartTime: instances.find(id)?.startedAtSeconds };
}

function startEvent(state: State, call: Call, { EventName, InstanceId }: Readonly<Record<string, unknown>>): void {
  const { host, events } = state;
  const phase = String(EventName);
  const started = typeof InstanceId === 'number' ? host.instances.find(InstanceId) : undefined;
  if (started === undefined || !host.plugin.phases.includes(phase)) {
    reply(state, call, started ? `the plugin has no phase ${phase}` : noInstance(InstanceId));
    return;
  }
  events.start(
    phase,
    (eventId, step) => replyStep(state, call, eventId, step),
    (caller, onDone) => runPhase(started.instance, caller, host.reports, onDone),
  );
}

function takeStep(state: State, call: Call, { EventId, Data }: Readonly<Record<string, unknown>>): void {
  const result: StepResult =
    call.method === 'plugin.StepError' ? { error: String(Data) } : { value: Data ?? undefined };
  const isKnown = state.events.step(Number(EventId), result, (eventId, step) => replyStep(state, call, eventId, step));
  if (!isKnown) reply(state, call, `no event #${String(EventId)}`);
}

function replyStep(state: State, call: Call, eventId: number, step: Step): void {
  reply(state, call, null, { Data: step, EventId: eventId });
}

/** Kong searches for "no plugin instance"; it then starts the instance again and repeats the event. */
function noInstance(id: unknown): string {
  return `no plugin instance #${String(id)}`;
}

function reply(state: State, { id }: Call, error: string | null, result?: unknown): void {
  const bytes = encode([1, id, error, result]);
  state.host.turn.answer(() => {
    if (!state.socket.destroyed) state.socket.write(bytes);
    state.answering--;
    if (!isIdle(state)) return;
    if (state.isFinishing) state.socket.end();
    state.onIdle();
  });
}

function refuse(state: State, reason: string): void {
  state.host.reports.connectionRefused(reason);
  state.socket.destroy();
}
