import { notFound } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type CursorRequest, type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { NewId } from '../../platform/ids.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Correction, EventFilterField, EventSelection, StoredEvent, UsageStore } from '../usage-store/index.ts';
import type {
  CorrectedEventPage,
  CorrectionFilter,
  CorrectionPage,
  CorrectionPreviewAnswer,
  CreateCorrection,
  EventCorrection,
} from './correction-schema.ts';
import { decodeRowCursor, encodeRowCursor } from './cursor.ts';
import { correctionIsRunning, unknownCorrection, unknownCustomersOfCorrection } from './errors.ts';
import { toIngestedEvent } from './ingested-event.ts';
import type { IngestedEvent } from './schema.ts';
import type { EventAnnotations } from './service.ts';

/** Makes stored events void and counts them again; keeps who did it, when and why. */
export interface CorrectionsService {
  /** What a correction would change. */
  preview(request: CreateCorrection, signal: AbortSignal): Promise<CorrectionPreviewAnswer>;
  /** @param madeBy name of the caller's token */
  create(request: CreateCorrection, madeBy: string): Promise<EventCorrection>;
  list(page: PageRequest): Promise<CorrectionPage>;
  get(id: string): Promise<EventCorrection>;
  /** The events that a correction has changed. */
  events(id: string, page: CursorRequest): Promise<CorrectedEventPage>;
}

/** Enough to see whether the filter is the right one. */
const SAMPLE_SIZE = 10;

export function createCorrectionsService(deps: {
  usage: UsageStore;
  newId: NewId;
  annotations: EventAnnotations;
}): CorrectionsService {
  const { usage, newId, annotations } = deps;
  const { corrections } = usage;

  const find = async (id: string): Promise<Correction> => {
    const correction = await corrections.get(id);
    if (correction === undefined) throw notFound('correction', id);
    return correction;
  };
  const toSelection = async (filter: CorrectionFilter): Promise<EventSelection> => {
    const { customer_id, correction_id, ...fields } = filter;
    const customerIds = customer_id === undefined ? undefined : valuesOf(customer_id);
    const subjects = customerIds && (await annotations.subjectsOfCustomers(customerIds));
    if (customerIds !== undefined && subjects === undefined) throw unknownCustomersOfCorrection(customerIds);
    if (correction_id !== undefined) {
      const voiding = await corrections.get(correction_id);
      if (voiding === undefined) throw unknownCorrection(correction_id);
      if (voiding.finishedAtMs === undefined) throw correctionIsRunning(correction_id);
    }
    return { filters: toConditions(fields), subjects, voidedBy: correction_id };
  };
  const annotated = async (events: readonly StoredEvent[]): Promise<IngestedEvent[]> => {
    const notes = await annotations.annotate(events);
    return events.map((event, index) => toIngestedEvent(event, notes[index]));
  };

  return {
    preview: async ({ action, filter }, signal) => {
      const { events, sample } = await corrections.preview(action, await toSelection(filter), SAMPLE_SIZE, signal);
      return { dry_run: true, events, sample: await annotated(sample) };
    },
    create: async ({ action, reason, filter }, madeBy) => {
      const selection = await toSelection(filter);
      const note = JSON.stringify({ filter });
      return toAnswer(await corrections.correct({ id: newId(), action, reason, madeBy, selection, note }));
    },
    list: async (page) => {
      const offset = (page.number - 1) * page.size;
      const found = await corrections.list({ offset, limit: page.size });
      return { data: found.corrections.map(toAnswer), meta: pageMeta(page, found.total) };
    },
    get: async (id) => toAnswer(await find(id)),
    events: async (id, { size, after }) => {
      await find(id);
      const events = await corrections.events(id, { size, after: after === undefined ? 0 : decodeRowCursor(after) });
      const [first, last] = [events.at(0), events.at(-1)];
      const page = {
        size,
        ...(first !== undefined && { first: encodeRowCursor(first.rowId) }),
        ...(last !== undefined && { last: encodeRowCursor(last.rowId) }),
        next: last !== undefined && events.length === size ? encodeRowCursor(last.rowId) : null,
        previous: null,
      };
      return { data: await annotated(events), meta: { page } };
    },
  };
}

type Values = { eq: string } | { in: readonly string[] };

function valuesOf(values: Values): readonly string[] {
  return 'eq' in values ? [values.eq] : values.in;
}

function toConditions(
  fields: Omit<CorrectionFilter, 'customer_id' | 'correction_id'>,
): FilterCondition<EventFilterField>[] {
  const conditions: FilterCondition<EventFilterField>[] = [];
  for (const field of ['id', 'source', 'subject', 'type'] as const) {
    const values = fields[field];
    if (values !== undefined) conditions.push({ field, operator: 'oeq', values: valuesOf(values) });
  }
  for (const field of ['time', 'ingested_at', 'stored_at'] as const) {
    const bounds = fields[field] ?? {};
    for (const operator of ['eq', 'gte', 'gt', 'lt', 'lte'] as const) {
      const value = bounds[operator];
      if (value !== undefined) conditions.push({ field, operator, values: [value] });
    }
  }
  return conditions;
}

function toAnswer(correction: Correction): EventCorrection {
  const { filter } = JSON.parse(correction.note) as { filter: Record<string, unknown> };
  return {
    id: correction.id,
    action: correction.action,
    reason: correction.reason,
    made_by: correction.madeBy,
    created_at: formatInstant(correction.madeAtMs),
    filter,
    state: correction.finishedAtMs === undefined ? 'running' : 'finished',
    events: correction.events,
    events_expected: correction.expected,
    ...(correction.finishedAtMs !== undefined && { finished_at: formatInstant(correction.finishedAtMs) }),
  };
}
