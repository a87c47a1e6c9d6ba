import { type MessagePort, parentPort } from 'node:worker_threads';
import { type InvalidParameter, type ProblemKind, RequestProblem } from '../../platform/errors.ts';
import type { NewEvent } from '../usage-store/index.ts';
import { EventsRefused } from './errors.ts';
import { type EventBody, type Rejection, readEvents } from './read-events.ts';

/** What the thread is told. Events stay with it until they are fetched, so that no turn of the other side is long. */
export type ToReadingThread =
  | { kind: 'read'; id: number; body: EventBody }
  | { kind: 'next'; id: number }
  | { kind: 'forget'; id: number };

export type FromReadingThread =
  | { kind: 'read'; id: number; acceptedCount: number; rejected: readonly Rejection[]; rejectedCount: number }
  | { kind: 'slice'; id: number; events: readonly NewEvent[]; isLast: boolean }
  | {
      kind: 'problem';
      id: number;
      /** Without a kind it is a fault of ours. */
      problem: {
        kind?: ProblemKind;
        detail: string;
        invalidParameters: readonly InvalidParameter[];
        /** Of a request that is refused for some of them. */
        events?: number;
      };
    };

/** Taken over in some milliseconds, and stored in a transaction that others wait for no longer than for their own. */
const EVENTS_OF_SLICE = 2500;
/** The same for events with much in them: ten megabytes at once are on the disk after a third of a second. */
const CHARACTERS_OF_SLICE = 1_048_576;

const port = parentPort as MessagePort;
const unfetched = new Map<number, { events: NewEvent[]; at: number }>();

port.on('message', (message: ToReadingThread) => {
  if (message.kind === 'forget') unfetched.delete(message.id);
  else port.postMessage(message.kind === 'read' ? read(message.id, message.body) : next(message.id));
});

function read(id: number, body: EventBody): FromReadingThread {
  try {
    const { accepted, rejected, rejectedCount } = readEvents(body);
    if (accepted.length > 0) unfetched.set(id, { events: accepted, at: 0 });
    return { kind: 'read', id, acceptedCount: accepted.length, rejected, rejectedCount };
  } catch (error) {
    if (error instanceof RequestProblem) {
      const { kind, message: detail, invalidParameters } = error;
      const problem = { kind, detail, invalidParameters };
      return {
        kind: 'problem',
        id,
        problem: error instanceof EventsRefused ? { ...problem, events: error.events } : problem,
      };
    }
    return { kind: 'problem', id, problem: { detail: String(error), invalidParameters: [] } };
  }
}

function next(id: number): FromReadingThread {
  const left = unfetched.get(id);
  if (left === undefined) return { kind: 'slice', id, events: [], isLast: true };
  const events = sliceFrom(left.events, left.at);
  left.at += events.length;
  const isLast = left.at >= left.events.length;
  if (isLast) unfetched.delete(id);
  return { kind: 'slice', id, events, isLast };
}

/** As many as fit; one alone always does. */
function sliceFrom(events: readonly NewEvent[], start: number): NewEvent[] {
  let end = start;
  for (let characters = 0; end < events.length && end - start < EVENTS_OF_SLICE; end++) {
    characters += events[end]?.data?.length ?? 0;
    if (characters > CHARACTERS_OF_SLICE && end > start) break;
  }
  return events.slice(start, end);
}
