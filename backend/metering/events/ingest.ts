import { RequestProblem } from '../../platform/errors.ts';
import type { AppendResult, NewEvent, UsageStore } from '../usage-store/index.ts';
import type { EventsOfBody } from './event-reader.ts';
import type { DeliveryHeaders } from './gateway-delivery.ts';
import type { EventBody } from './read-events.ts';
import type { IngestReport } from './schema.ts';

/** What a request brings: the bytes of its events and what its sender says about itself. */
export interface IngestRequest extends Omit<EventBody, 'receivedAtMs' | 'maxDataBytes'> {
  delivery?: DeliveryHeaders | undefined;
}

/**
 * Stores the checked events of a request: all, or those that a lenient request (RFC 7240, `Prefer: handling=lenient`)
 * has that are good.
 * @returns what became of them, and which others were refused
 */
export async function storeEvents(
  usage: UsageStore,
  events: EventsOfBody,
  delivery: DeliveryHeaders | undefined,
  onStored?: (events: readonly NewEvent[]) => void,
): Promise<IngestReport> {
  const { acceptedCount, rejected, rejectedCount } = events;
  return {
    received: acceptedCount + rejectedCount,
    ...(await append(usage, events, delivery, onStored)),
    rejected_total: rejectedCount,
    rejected: rejected.map(({ invalidParameters, ...event }) => ({
      ...event,
      invalid_parameters: invalidParameters.map((parameter) => ({ ...parameter })),
    })),
  };
}

/**
 * A slice after the other, each on disk before the next is handed over, so that others' events come in between. What is
 * checked is not refused any more: where one is not stored, for want of room, the sender sends all again, and those that
 * are stored count once.
 */
async function append(
  usage: UsageStore,
  { slices, acceptedCount, rejectedCount }: EventsOfBody,
  delivery: DeliveryHeaders | undefined,
  onStored: ((events: readonly NewEvent[]) => void) | undefined,
): Promise<AppendResult> {
  const counts = delivery && {
    ...delivery,
    received: acceptedCount + rejectedCount,
    rejected: rejectedCount,
  };
  // A sender may report about itself without an event.
  if (acceptedCount === 0) return counts === undefined ? NOTHING : usage.append([], counts);
  let left = acceptedCount;
  const sum = { ...NOTHING };
  for await (const slice of slices()) {
    left -= slice.length;
    // Told with the last one: only then has all been received.
    const { stored, duplicates } = await storeSlice(usage, slice, left === 0 ? counts : undefined, sum);
    onStored?.(slice);
    sum.stored += stored;
    sum.duplicates += duplicates;
  }
  return sum;
}

const NOTHING: AppendResult = { stored: 0, duplicates: 0 };

async function storeSlice(
  usage: UsageStore,
  slice: readonly NewEvent[],
  counts: Parameters<UsageStore['append']>[1],
  before: AppendResult,
): Promise<AppendResult> {
  try {
    return await usage.append(slice, counts);
  } catch (error) {
    if (!(error instanceof RequestProblem) || before.stored + before.duplicates === 0) throw error;
    const reason = 'The first events of the request are stored, the others not. Send all again: none counts twice.';
    throw new RequestProblem(error.kind, reason, [], { retryAfterSeconds: error.retryAfterSeconds ?? 1 });
  }
}
