import { type Clock, systemClock } from '../../../delivery/clock.ts';
import { type NamedCall, type PdkCaller, pdkError, refusalOf } from '../pdk.ts';

/** What Kong is to do next, or that the plugin is done. */
export type Step = { readonly Method: string; readonly Args: readonly unknown[] } | 'ret';

/** Sends what an event's current call is answered with. Each call of Kong has one. */
export type ReplyToKong = (step: Step) => void;

/** The events of a process. Over this protocol an event travels over any connection, so they all share these. */
export interface MsgpackEvents {
  /** Runs a phase. @param run calls the plugin; tells when it is done */
  start(phase: string, reply: (eventId: number, step: Step) => void, run: PluginPhase): void;
  /** Kong has done what it was asked. False when the event is not known. */
  step(eventId: number, result: StepResult, reply: (eventId: number, step: Step) => void): boolean;
  readonly size: number;
}

export type PluginPhase = (caller: PdkCaller, onDone: () => void) => void;
export type StepResult = { readonly value: unknown } | { readonly error: string };

interface PdkCallInWait {
  readonly named: NamedCall;
  readonly args: readonly unknown[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Event {
  readonly id: number;
  readonly startedAt: number;
  /** Kong waits for it; undefined while Kong is at work. */
  reply: ReplyToKong | undefined;
  /** What Kong is at. */
  current: PdkCallInWait | undefined;
  readonly queue: PdkCallInWait[];
  isDone: boolean;
}

/** After this long Kong has given up: its sockets time out. Events of a worker that was killed go with it. */
const FORGET_AFTER_MS = 60_000;
/** Ids are 32 bits in some readers of the protocol. */
const MAX_ID = 2 ** 31 - 1;

export function createMsgpackEvents(onEnd: () => void, clock: Clock = systemClock): MsgpackEvents {
  const events = new Map<number, Event>();
  let lastId = 0;

  function end(event: Event): void {
    events.delete(event.id);
    onEnd();
  }

  function forgetOld(): void {
    for (const event of events.values()) {
      if (clock.now() - event.startedAt < FORGET_AFTER_MS) return;
      const lost = pdkError('Kong did not answer');
      for (const call of [event.current, ...event.queue]) call?.reject(lost);
      end(event);
    }
  }

  /** One step at a time: the next call of the plugin, or that it is done. */
  function advance(event: Event): void {
    const { reply } = event;
    if (reply === undefined || !events.has(event.id)) return;
    const call = event.queue.shift();
    if (call === undefined && !event.isDone) return;
    event.reply = undefined;
    if (call === undefined) {
      reply('ret');
      end(event);
      return;
    }
    reply({ Method: call.named.name, Args: call.args });
    event.current = call;
    if (call.named.isAnswered) return;
    // Kong ends the request on it, and tells nobody.
    event.current = undefined;
    call.resolve(undefined);
    end(event);
  }

  return {
    start(phase, reply, run) {
      forgetOld();
      lastId = lastId >= MAX_ID ? 1 : lastId + 1;
      const id = lastId;
      const event: Event = {
        id,
        startedAt: clock.now(),
        reply: (step) => reply(id, step),
        current: undefined,
        queue: [],
        isDone: false,
      };
      events.set(id, event);
      const call: PdkCaller['call'] = async (named, args) => {
        if (event.isDone || !events.has(id))
          throw pdkError(`${named.name} was called after the ${phase} phase was over`);
        const refusal = refusalOf(named, phase);
        if (refusal !== undefined) throw refusal;
        const { promise, resolve, reject } = Promise.withResolvers<unknown>();
        event.queue.push({ named, args, resolve, reject });
        advance(event);
        return promise;
      };
      run({ phase, call }, () => {
        event.isDone = true;
        advance(event);
      });
    },
    step(eventId, result, reply) {
      const event = events.get(eventId);
      if (event === undefined) return false;
      event.reply = (step) => reply(eventId, step);
      const call = event.current;
      event.current = undefined;
      if (call !== undefined) {
        if ('error' in result) call.reject(pdkError(`${call.named.name} was answered with: ${result.error}`));
        else call.resolve(result.value);
      }
      advance(event);
      return true;
    },
    get size() {
      return events.size;
    },
  };
}
