import type { Socket } from 'node:net';
import { answerTo, type Instances } from './answers.ts';
import { type Channel, createChannel } from './channel.ts';
import { type PhaseEvent, type PluginRun, type PrefetchPlan, runPrefetched, runWithCalls } from './events.ts';
import { createFrameReader, framesOf, MAX_FRAME_BYTES } from './frames.ts';
import { pdkError } from './pdk.ts';
import type { HostedPlugin } from './plugin-module.ts';
import type { Reports } from './reports.ts';
import { decodeRpcCall, type PluginInfo, type RpcCall, returnFrame } from './rpc-messages.ts';
import { runPhase } from './run-phase.ts';
import type { Turn } from './turn.ts';

/** What the connections of a process share. */
export interface ConnectionHost {
  readonly plugin: HostedPlugin;
  readonly pluginInfo: PluginInfo;
  readonly prefetch: ReadonlyMap<string, PrefetchPlan>;
  readonly instances: Instances;
  readonly turn: Turn;
  readonly reports: Reports;
  readonly starts?: Starts | undefined;
}

/**
 * Hears of calls that start an instance. Kong begins an event anew when a connection ends over which it has told of the
 * event, but not when it has asked over it for the instance that the event needs.
 */
export interface Starts {
  /** @param payload the call, as it came */
  asked(socket: Socket, payload: Buffer): void;
  /** The answer is on its way to Kong, or the connection is closed. */
  answered(socket: Socket): void;
}

export interface Connection {
  /** Nothing is under way: no call that waits for its answer, and no event whose plugin is not done. */
  isIdle(): boolean;
  /** Closes the connection as soon as it is idle. */
  finish(): void;
  /**
   * Closes the connection in place of its next event, when Kong is sure to notice: it waits for the answer, and begins the
   * event anew over another connection. Behind an answer it could be using the connection again before it hears of the end,
   * to start an instance, and what that was for is lost. Until then all other calls are answered.
   */
  retire(): void;
}

/** Calls that Kong may send ahead of an answer. It sends none, so more than a few are not Kong's. */
const MAX_CALLS_AHEAD = 16;

interface State {
  readonly socket: Socket;
  readonly host: ConnectionHost;
  readonly channel: Channel;
  readonly onIdle: () => void;
  /** What arrived while another call was still to be answered. */
  readonly callsAhead: Buffer[];
  /** A call waits for its answer, so that the next one has to wait. */
  isAnswering: boolean;
  /** Events whose plugin is not done. */
  runningEvents: number;
  isFinishing: boolean;
  isRetiring: boolean;
}

/**
 * Serves one connection of Kong.
 * @param onIdle called whenever nothing is under way any more
 */
export function serveConnection(socket: Socket, host: ConnectionHost, onIdle: () => void): Connection {
  const channel = createChannel(socket, host.turn);
  const state: State = {
    socket,
    host,
    channel,
    onIdle,
    callsAhead: [],
    isAnswering: false,
    runningEvents: 0,
    isFinishing: false,
    isRetiring: false,
  };
  socket.on(
    'data',
    createFrameReader({
      frame: (payload) => takeFrame(state, payload),
      refused: (lengthBytes) => refuseFrame(state, lengthBytes),
    }),
  );
  return {
    isIdle: () => isIdle(state),
    finish() {
      state.isFinishing = true;
      if (isIdle(state)) channel.end();
    },
    retire() {
      state.isRetiring = true;
    },
  };
}

function isIdle({ isAnswering, runningEvents }: State): boolean {
  return !isAnswering && runningEvents === 0;
}

function takeFrame(state: State, payload: Buffer): void {
  const { callsAhead, channel, isAnswering } = state;
  if (channel.isClosed() || channel.takeReply(payload)) return;
  if (!isAnswering) takeCall(state, payload);
  else if (callsAhead.push(payload) > MAX_CALLS_AHEAD) refuse(state, 'calls that wait for no answer');
}

/** The bytes of a refused reply are read and thrown away: were the connection closed, Kong would begin again. */
function refuseFrame(state: State, lengthBytes: number): void {
  if (state.channel.isClosed()) return;
  const reason = pdkError(`a reply of ${lengthBytes} bytes was refused; the most is ${MAX_FRAME_BYTES}`);
  if (!state.channel.takeReply(reason)) refuse(state, `a call of more than ${MAX_FRAME_BYTES} bytes`);
}

function takeCall(state: State, payload: Buffer): void {
  let call: RpcCall;
  try {
    call = decodeRpcCall(payload);
  } catch {
    refuse(state, 'a call that is no protobuf message');
    return;
  }
  if (call.kind === 'handle-event') startEvent(state, call.instanceId, call);
  else {
    if (call.kind === 'start-instance') state.host.starts?.asked(state.socket, payload);
    void answer(state, call);
  }
}

function startEvent(state: State, instanceId: number, event: PhaseEvent): void {
  const { channel, host } = state;
  const { phase } = event;
  if (state.isRetiring) {
    channel.end();
    return;
  }
  const started = host.instances.find(instanceId);
  if (started === undefined || !host.plugin.phases.includes(phase)) {
    // Kong searches for "no plugin instance"; it then starts the instance again and repeats the event.
    failEvent(channel, started ? `the plugin has no phase ${phase}` : `no plugin instance #${instanceId}`);
    return;
  }
  const run: PluginRun['run'] = (caller, onDone) => runPhase(started.instance, caller, host.reports, onDone);
  const plan = host.prefetch.get(phase);
  state.runningEvents++;
  if (plan !== undefined) {
    runPrefetched(channel, event, plan, {
      run,
      onDone: () => endEvent(state),
      isStored: host.plugin.settle !== undefined,
    });
    return;
  }
  state.isAnswering = true;
  const onDone = (): void => {
    state.isAnswering = false;
    endEvent(state);
    takeCallsAhead(state);
  };
  runWithCalls(channel, event, { run, onDone });
}

function endEvent(state: State): void {
  state.runningEvents--;
  afterWork(state);
}

/** An answer has no place for an error. But Kong quotes as one the name of a function that it does not know. */
function failEvent(channel: Channel, message: string): void {
  channel.end(framesOf(Buffer.from(message), Buffer.alloc(0)));
}

async function answer(state: State, call: Exclude<RpcCall, { kind: 'handle-event' }>): Promise<void> {
  const { channel, host } = state;
  state.isAnswering = true;
  try {
    const result = await answerTo(call, host.instances, host.plugin, host.pluginInfo);
    channel.write(returnFrame(call.sequence, result));
    // Whoever sent it may wait for more than this one frame.
    if (call.kind === 'unknown') refuse(state, 'a call that ProtoBuf:1 does not have');
  } catch (error) {
    // Kong takes a closed connection for an error; after any other answer it would hold the instance for started.
    host.reports.instanceFailed(error);
    channel.end();
  }
  // Behind the answer, which leaves at the end of the turn.
  if (call.kind === 'start-instance') host.turn.answer(() => host.starts?.answered(state.socket));
  state.isAnswering = false;
  afterWork(state);
  takeCallsAhead(state);
}

function takeCallsAhead(state: State): void {
  while (!state.isAnswering) {
    const payload = state.callsAhead.shift();
    if (payload === undefined) return;
    takeFrame(state, payload);
  }
}

function afterWork(state: State): void {
  if (!isIdle(state)) return;
  if (state.isFinishing) state.channel.end();
  state.onIdle();
}

function refuse(state: State, reason: string): void {
  state.host.reports.connectionRefused(reason);
  state.channel.end();
}
