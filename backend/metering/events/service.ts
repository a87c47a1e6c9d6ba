import type { Clock } from '../../platform/clock.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import {
  type EventFilterField,
  type EventSortField,
  isFullPage,
  type StoredEvent,
  type UsageStore,
} from '../usage-store/index.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { EventsRefused, unknownCustomers } from './errors.ts';
import { createEventReader } from './event-reader.ts';
import { type IngestRequest, storeEvents } from './ingest.ts';
import { type EventNote, toIngestedEvent } from './ingested-event.ts';
import type { IngestedEvent, IngestReport, IngestTotals } from './schema.ts';

/** What the events list shows beside an event, told by modules that lie above this one. */
export interface EventAnnotations {
  /** For each event the customer that it belongs to, and the sentences that say why it does not count. */
  annotate(events: readonly StoredEvent[]): Promise<EventNote[]>;
  /** All subjects of the customers with these ids; undefined when none of the ids exists. */
  subjectsOfCustomers(ids: readonly string[]): Promise<readonly string[] | undefined>;
}

export const EVENT_SORT: SortRules<EventSortField> = {
  fields: ['time', 'ingested_at', 'stored_at'],
  default: 'time',
  // Unlike every other list, newest first unless told otherwise.
  defaultDirection: 'desc',
};

export interface EventListRequest {
  filters: readonly FilterCondition<EventFilterField | 'customer_id'>[];
  sort: Sort<EventSortField>;
  page: CursorRequest;
}

export interface EventPage {
  data: IngestedEvent[];
  meta: { page: { size: number; first?: string; last?: string; next: string | null; previous: null } };
}

export interface EventsService {
  /** Stores all events of a request or none. @throws RequestProblem 400 */
  ingest(request: IngestRequest): Promise<void>;
  /** Stores the good events of a request and tells about the others. */
  ingestLeniently(request: IngestRequest): Promise<IngestReport>;
  /** @param signal aborted when nobody waits for the page any more */
  list(request: EventListRequest, signal: AbortSignal): Promise<EventPage>;
  /** What has arrived since the database was made: `received` is `stored` plus `duplicates`. */
  totals(): Promise<IngestTotals>;
}

/** How many events of a request became what. */
export interface IngestOutcome {
  accepted: number;
  duplicate: number;
  /** Not as they should be, or in a request with one that is not. */
  rejected: number;
  /** Not taken, because too much waited or something failed: the sender sends them again. */
  postponed: number;
}

/** A hundred times what a gateway sends of a request. */
const DEFAULT_MAX_DATA_BYTES = 65_536;

const NONE: IngestOutcome = { accepted: 0, duplicate: 0, rejected: 0, postponed: 0 };

/** Takes events in and lists them. */
export function createEventsService(deps: {
  usage: UsageStore;
  clock: Clock;
  annotations: EventAnnotations;
  onIngest?: ((outcome: IngestOutcome) => void) | undefined;
  /** Is told of events that are stored, also of those that were before. It must be quick. */
  onStored?: ((events: readonly { readonly subject: string }[]) => void) | undefined;
  /** Of one event's data as JSON. */
  maxDataBytes?: number | undefined;
}): EventsService {
  const { usage, clock, annotations, onIngest, onStored, maxDataBytes = DEFAULT_MAX_DATA_BYTES } = deps;
  const reader = createEventReader();
  const read = async ({ delivery: _delivery, ...body }: IngestRequest) => {
    try {
      return await reader.read({ ...body, receivedAtMs: clock.nowMs(), maxDataBytes });
    } catch (error) {
      if (error instanceof EventsRefused) onIngest?.({ ...NONE, rejected: error.events });
      throw error;
    }
  };
  const ingest = async (request: IngestRequest): Promise<IngestReport> => {
    const events = await read(request);
    const { acceptedCount, rejectedCount } = events;
    try {
      const report = await storeEvents(usage, events, request.delivery, onStored);
      onIngest?.({ ...NONE, accepted: report.stored, duplicate: report.duplicates, rejected: rejectedCount });
      return report;
    } catch (error) {
      onIngest?.({ ...NONE, postponed: acceptedCount, rejected: rejectedCount });
      throw error;
    }
  };
  return {
    ingest: async (request) => {
      await ingest(request);
    },
    ingestLeniently: ingest,
    totals: async () => {
      const { stored, duplicates } = await usage.totals();
      return { received: stored + duplicates, stored, duplicates };
    },
    list: async ({ filters, sort, page }, signal) => {
      const subjects = await subjectsMeant(filters, annotations);
      const query = {
        filters: filters.filter(isStoreFilter),
        ...(subjects !== undefined && { subjects }),
        sort,
        size: page.size,
        ...(page.after !== undefined && { after: decodeCursor(page.after, sort) }),
      };
      const events = await usage.list(query, signal);
      const notes = await annotations.annotate(events);
      const cursor = (event: StoredEvent | undefined) => (event === undefined ? undefined : encodeCursor(event, sort));
      const first = cursor(events.at(0));
      const last = cursor(events.at(-1));
      return {
        data: events.map((event, index) => toIngestedEvent(event, notes[index])),
        meta: {
          page: {
            size: page.size,
            ...(first !== undefined && { first }),
            ...(last !== undefined && { last }),
            // A page that is not full is the last one.
            next: isFullPage(events, page.size) ? (last ?? null) : null,
            previous: null,
          },
        },
      };
    },
  };
}

/** Whose events are asked for: of customers that pass each filter. @returns undefined: anybody's */
async function subjectsMeant(
  filters: EventListRequest['filters'],
  annotations: EventAnnotations,
): Promise<readonly string[] | undefined> {
  let meant: readonly string[] | undefined;
  for (const { field, values } of filters) {
    if (field !== 'customer_id') continue;
    const found = await annotations.subjectsOfCustomers(values);
    if (found === undefined) throw unknownCustomers(values);
    const passing = new Set(found);
    meant = meant === undefined ? found : meant.filter((subject) => passing.has(subject));
  }
  return meant;
}

function isStoreFilter(
  filter: FilterCondition<EventFilterField | 'customer_id'>,
): filter is FilterCondition<EventFilterField> {
  return filter.field !== 'customer_id';
}
