import type { TrackJob } from '../../platform/job-log.ts';
import type { Scope } from '../../platform/scope.ts';
import { type ClaimedDelivery, outboxRepository, type QueueState, type Settled } from '../outbox/index.ts';
import { afterAttempt, whyDead } from './outcome.ts';
import { createFlights, oneAtATime, repeat } from './pacing.ts';
import { FAILURES_BEFORE_PAUSE } from './schedule.ts';
import type { SendersChannel, Sent, Target, Transports } from './types.ts';

export interface SenderDeps {
  transports: Transports;
  /** The channel, opened. Its secret may be one that cannot be read: that throws, and is tried again. */
  channelOf(id: string, scope: Scope): Promise<SendersChannel>;
  /** Switches a channel off, in the transaction that found it dead. @param reason a sentence for people */
  disable(id: string, reason: string, scope: Scope): Promise<void>;
  /** From 0 to 1. */
  random(): number;
}

export interface Sender {
  /** Sends what is due until nothing is; what fails waits for its next attempt. */
  deliverDue(): Promise<void>;
  /**
   * Sends by itself from now on.
   * @param isAlone nobody else sends what is in this database: what a killed process had claimed is sent at once
   * @returns ends it: what is being sent is waited for
   */
  schedule(track: TrackJob, isAlone: boolean): () => Promise<void>;
}

/** Messages on their way at the same time, and those of one channel: one that is slow holds up no other one. */
const MAX_IN_FLIGHT = 64;
const MAX_OF_CHANNEL = 4;
/** Longer than an attempt takes: who holds a message is sending it, or has died. */
const LEASE_MS = 60_000;
/** How often it is looked for what is due; costs one look at an index. */
const EVERY_MS = 500;
/** How often queues are held against their messages: two who write at the same time may leave one that is not woken. */
const RECKON_EVERY_MS = 60_000;

/** How long a channel is left alone that cannot be opened. */
const UNOPENED_MS = 60_000;

/** Sends messages, at least once each: who dies before the result is written down has it sent again, with the same id. */
export function createSender(scope: Scope, deps: SenderDeps): Sender {
  const flights = createFlights();
  const start = (claimed: ClaimedDelivery, channel: SendersChannel, queue: QueueState) =>
    flights.add(claimed.channelId, () =>
      // Its lease ends, and it is tried again: no other message waits for it.
      sendOne(scope, deps, claimed, channel, queue).catch((error: unknown) => {
        scope.log.error({ err: error, channelId: claimed.channelId }, 'a message could not be sent');
      }),
    );

  /** @returns whether anything was begun */
  const startDue = async (): Promise<boolean> => {
    const busy = flights.channelsWith(MAX_OF_CHANNEL);
    let isAnyBegun = false;
    for (const queue of await outboxRepository(scope).dueQueues(scope.clock.nowMs(), busy, MAX_IN_FLIGHT)) {
      const channel = await open(scope, deps, queue.channelId);
      if (channel === undefined) continue;
      const room = roomOf(channel, queue) - flights.of(queue.channelId);
      const limit = Math.min(room, MAX_IN_FLIGHT - flights.count());
      if (limit <= 0) continue;
      for (const claimed of await claim(scope, queue.channelId, limit, channel.isOrdered)) {
        start(claimed, channel, queue);
        isAnyBegun = true;
      }
    }
    return isAnyBegun;
  };

  const pump = oneAtATime(async (isOver) => {
    while (!isOver() && (await startDue())) {
      // Until there is no more, or no more room.
    }
  });
  const deliverDue = async (): Promise<void> => {
    await pump.run();
    while (flights.count() > 0) {
      await flights.next();
      await pump.run();
    }
  };
  return {
    deliverDue,
    schedule: (track, isAlone) => {
      const onError = (error: unknown) =>
        scope.log.error({ err: error }, 'notifications could not be sent; they are tried again');
      const ready = isAlone ? outboxRepository(scope).releaseClaims(scope.clock.nowMs()).catch(onError) : undefined;
      flights.onEnd(() => pump.run().catch(onError));
      const stops = [
        repeat(EVERY_MS, async () => {
          await ready;
          await track('notifications', pump.run).catch(onError);
        }),
        repeat(RECKON_EVERY_MS, () => outboxRepository(scope).reckonQueues().catch(onError)),
      ];
      return async () => {
        await Promise.all([...stops.map((stop) => stop()), pump.end()]);
        await flights.all();
      };
    },
  };
}

/** undefined, and left alone for a while, when its secrets cannot be read: no other channel waits for it. */
async function open(scope: Scope, deps: SenderDeps, channelId: string): Promise<SendersChannel | undefined> {
  try {
    return await deps.channelOf(channelId, scope);
  } catch (error) {
    scope.log.error({ err: error, channelId }, 'a channel cannot be opened');
    await outboxRepository(scope).pauseQueue(channelId, scope.clock.nowMs() + UNOPENED_MS);
    return undefined;
  }
}

/** One at a time where the order counts, and where it keeps failing. */
function roomOf({ isOrdered }: SendersChannel, { failures }: QueueState): number {
  return isOrdered || failures >= FAILURES_BEFORE_PAUSE ? 1 : MAX_OF_CHANNEL;
}

function claim(root: Scope, channelId: string, limit: number, isOrdered: boolean): Promise<ClaimedDelivery[]> {
  return root.transaction((scope) => {
    const nowMs = scope.clock.nowMs();
    const lease = scope.newId();
    return outboxRepository(scope).claim(channelId, { nowMs, untilMs: nowMs + LEASE_MS, lease, limit, isOrdered });
  });
}

async function sendOne(
  root: Scope,
  deps: SenderDeps,
  claimed: ClaimedDelivery,
  channel: SendersChannel,
  queue: QueueState,
): Promise<void> {
  const { closed, target } = channel;
  if (closed !== undefined || target === undefined) {
    await settle(root, claimed, over('failed', closed ?? 'channel_deleted', queue));
    return;
  }
  const beganAtMs = performance.now();
  const atMs = root.clock.nowMs();
  const sent = await send(deps.transports, target, { id: claimed.eventId, payload: claimed.payload, atMs });
  const durationMs = Math.round(performance.now() - beganAtMs);
  const attempt = { isSuccess: sent.isSuccess, statusCode: sent.statusCode, body: sent.body, durationMs, atMs };
  await root.transaction(async (scope) => {
    const nowMs = scope.clock.nowMs();
    // What others have found out about the channel meanwhile.
    const [known = queue] = [...(await outboxRepository(scope).queueStates([claimed.channelId])).values()];
    const next = afterAttempt(claimed, sent, known, nowMs, deps.random());
    if (!(await outboxRepository(scope).settle(claimed, { ...next, attempt }, { id: scope.newId(), nowMs }))) return;
    const dead = whyDead(sent, next.queue, nowMs);
    if (dead !== undefined) await deps.disable(claimed.channelId, dead, scope);
  });
}

/** Which transport a target takes is known to nobody but this line. */
function send(transports: Transports, target: Target, message: Parameters<Transports['webhook']>[1]): Promise<Sent> {
  return transports[target.type](target, message);
}

async function settle(root: Scope, claimed: ClaimedDelivery, settled: Settled): Promise<void> {
  await root.transaction(async (scope) => {
    await outboxRepository(scope).settle(claimed, settled, { id: scope.newId(), nowMs: scope.clock.nowMs() });
  });
}

function over(state: Settled['state'], reason: string, queue: QueueState): Settled {
  return { state, reason, dueAtMs: undefined, attempt: undefined, queue };
}
