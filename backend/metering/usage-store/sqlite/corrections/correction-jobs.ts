import PQueue from 'p-queue';
import type { Clock } from '../../../../platform/clock.ts';
import { RequestProblem } from '../../../../platform/errors.ts';
import type {
  Correction,
  CorrectionAction,
  CorrectionPreview,
  EventCorrections,
  EventSelection,
} from '../../correction-types.ts';
import type { EventPosition, StoredEvent } from '../../types.ts';
import type { ReaderPool } from '../reader-pool.ts';
import type { WriterClient } from '../writer-client.ts';
import type { SelectedSlice, SelectionQuery, UnfinishedCorrection } from './correction-reader.ts';
import type { CorrectionSlice } from './correction-writer.ts';

/** Events that are changed together: no more than a transaction of requests may have, which wait as long. */
const SLICE_EVENTS = 5000;

/** Each waiting one is an open request or a slice; nobody makes so many by hand. */
const MAX_WAITING = 100;

export interface CorrectionJobs extends EventCorrections {
  /** Goes on with what a stop or a kill interrupted. */
  resume(unfinished: readonly UnfinishedCorrection[]): Promise<void>;
  /** Lets the slice that is being changed end, and no other begin. */
  stop(): Promise<void>;
}

/** Readers find the events, the writer changes them: looking for them holds up no request. */
export function createCorrectionJobs(deps: {
  readers: ReaderPool;
  writer: WriterClient;
  clock: Clock;
  /** Rows of exact ids, where the filters have some. */
  rowsOfIds(selection: EventSelection): Promise<readonly number[] | undefined>;
  /** Slices of this many events. */
  sliceEvents?: number | undefined;
}): CorrectionJobs {
  const { readers, writer, clock, rowsOfIds, sliceEvents: size = SLICE_EVENTS } = deps;
  // One slice at a time: what a slice finds is what the one before has left.
  const queue = new PQueue({ concurrency: 1 });
  let isStopped = false;

  const toQuery = async (action: CorrectionAction, selection: EventSelection): Promise<SelectionQuery> => ({
    action,
    selection,
    rowIds: await rowsOfIds(selection),
  });
  const select = (query: SelectionQuery, after?: EventPosition, lastRow?: number): Promise<SelectedSlice> =>
    readers.ask({ kind: 'select', query, page: { size, after, lastRow } });
  const change = (id: string, { positions }: SelectedSlice, begin?: CorrectionSlice['begin']): Promise<void> => {
    const next = positions.length < size ? undefined : positions.at(-1);
    const rowIds = positions.map(({ rowId }) => rowId);
    return writer.correct({ id, begin, rowIds, next, nowMs: clock.nowMs() });
  };
  /** Each slice queues up anew: a small correction does not wait for the whole of a large one. */
  const goOn = (id: string, query: SelectionQuery, lastRow: number, after: EventPosition): void =>
    enqueue(async () => {
      const slice = await select(query, after, lastRow);
      await change(id, slice);
      const last = slice.positions.at(-1);
      if (slice.positions.length === size && last !== undefined) goOn(id, query, lastRow, last);
    });
  /** A job that fails (the disk is full) goes on at the next start; its correction shows that it is not finished. */
  const enqueue = (job: () => Promise<void>): void => {
    queue.add(async () => (isStopped ? undefined : job())).catch(() => {});
  };
  const preview = async (query: SelectionQuery, sampleSize: number, signal?: AbortSignal): Promise<CorrectionPreview> =>
    readers.ask({ kind: 'preview', query, sampleSize }, signal);
  const get = (id: string): Promise<Correction | undefined> => readers.ask({ kind: 'correction', id });

  return {
    get,
    list: (page) => readers.ask({ kind: 'corrections', page }),
    events: (id, page): Promise<StoredEvent[]> => readers.ask({ kind: 'correctedEvents', id, page }),
    preview: async (action, selection, sampleSize, signal) =>
      preview(await toQuery(action, selection), sampleSize, signal),
    correct: async (request) => {
      if (queue.size >= MAX_WAITING) {
        throw new RequestProblem('unavailable', 'Too many corrections wait; this one was not begun. Try again.', [], {
          retryAfterSeconds: 1,
        });
      }
      await queue.add(async () => {
        const query = await toQuery(request.action, request.selection);
        const slice = await select(query);
        const isAll = slice.positions.length < size;
        const expected = isAll ? slice.positions.length : (await preview(query, 1)).events;
        await change(request.id, slice, { ...request, lastRow: slice.lastRow, expected });
        const last = slice.positions.at(-1);
        if (!isAll && last !== undefined) goOn(request.id, query, slice.lastRow, last);
      });
      return (await get(request.id)) as Correction;
    },
    resume: async (unfinished) => {
      for (const { id, query, lastRow, position } of unfinished) {
        goOn(id, await toQuery(query.action, query.selection), lastRow, position);
      }
    },
    stop: async () => {
      isStopped = true;
      await queue.onIdle();
    },
  };
}
