import { framesOf } from './frames.ts';
import { decodeResult, encodeArguments, type NamedCall, type PdkCaller, pdkError, refusalOf } from './pdk.ts';
import type { PrefetchedCall } from './plugin-module.ts';
import { eventEndFrames, type Sequence } from './rpc-messages.ts';

/** Gets one reply of Kong, or the reason why none comes. */
export type ReplyWaiter = (reply: Buffer | Error) => void;

/** What an event needs of the connection that it came over. Kong answers the calls of a connection in their order. */
export interface EventChannel {
  write(frames: Buffer): void;
  expectReply(waiter: ReplyWaiter): void;
  /** Runs when the loop has read from every connection, before the answers of this turn leave. */
  beforeAnswers(run: () => void): void;
}

/** A phase of a request, as Kong asked for it. */
export interface PhaseEvent {
  readonly phase: string;
  readonly sequence: Sequence;
}

/** The plugin's part of an event. */
export interface PluginRun {
  /** Runs the plugin's phase; calls `onDone` when it is done, whether or not it failed. */
  readonly run: (caller: PdkCaller, onDone: () => void) => void;
  readonly onDone: () => void;
}

/** An event whose calls go to Kong one by one, as the plugin makes them. Kong is answered when the plugin is done. */
export function runWithCalls(channel: EventChannel, event: PhaseEvent, { run, onDone }: PluginRun): void {
  const { phase, sequence } = event;
  let isOver = false;

  async function call(named: NamedCall, args: readonly unknown[]): Promise<unknown> {
    if (isOver) throw pdkError(`${named.name} was called after the ${phase} phase was over`);
    const refusal = refusalOf(named, phase);
    if (refusal !== undefined) throw refusal;
    channel.write(framesOf(Buffer.from(named.name), encodeArguments(named, args)));
    const { promise, resolve } = Promise.withResolvers<Buffer | Error>();
    channel.expectReply(resolve);
    // Kong ends the request on such a call, and closes the connection without a reply.
    return named.isAnswered ? resultOf(named, await promise) : undefined;
  }

  run({ phase, call }, () => {
    isOver = true;
    channel.write(eventEndFrames(sequence));
    onDone();
  });
}

/** The calls of a phase that are made in advance, as they go to Kong. */
export interface PrefetchPlan {
  readonly calls: readonly NamedCall[];
  readonly frames: Buffer;
}

export function planPrefetch(prefetched: readonly PrefetchedCall[]): PrefetchPlan {
  return {
    calls: prefetched.map(({ call }) => call),
    frames: framesOf(...prefetched.flatMap(({ call, encodedArguments }) => [Buffer.from(call.name), encodedArguments])),
  };
}

/**
 * An event whose calls are known in advance. They leave in one write with all that ends the event, which Kong reads in
 * order, so that Kong waits for nothing: when its replies arrive here, it has moved on. With `isStored`, Kong is told
 * the end only when the plugin is done and has stored the event: when this process is killed before that, Kong reads
 * the end of its connection and begins the event anew.
 */
export function runPrefetched(
  channel: EventChannel,
  event: PhaseEvent,
  { calls, frames }: PrefetchPlan,
  { run, onDone, isStored }: PluginRun & { readonly isStored?: boolean },
): void {
  const end = eventEndFrames(event.sequence);
  const replies: (Buffer | Error)[] = [];
  const take = (reply: Buffer | Error): void => {
    if (replies.push(reply) < calls.length) return;
    const done = (): void => {
      if (isStored) channel.write(end);
      onDone();
    };
    channel.beforeAnswers(() => run(prefetchedCaller(event.phase, calls, replies), done));
  };
  channel.write(isStored ? frames : Buffer.concat([frames, end]));
  for (let expected = 0; expected < calls.length; expected++) channel.expectReply(take);
}

function prefetchedCaller(phase: string, calls: readonly NamedCall[], replies: readonly (Buffer | Error)[]): PdkCaller {
  return {
    phase,
    async call(named, args) {
      const reply = replies[calls.indexOf(named)];
      if (reply === undefined || args.length > 0) {
        throw pdkError(
          `${named.name} was called in the ${phase} phase, for which the plugin prefetches other calls only`,
        );
      }
      return resultOf(named, reply);
    },
  };
}

function resultOf(named: NamedCall, reply: Buffer | Error): unknown {
  if (reply instanceof Error) throw pdkError(`${named.name} was not answered: ${reply.message}`);
  return decodeResult(named, reply);
}
