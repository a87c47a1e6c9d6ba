import type { RunaiApi } from './api.ts';
import { ApiFailure } from './http.ts';
import { instantOf, isObject } from './resources.ts';
import type { Transition } from './runs.ts';

const PAGE_SIZE = 100;
/** A hundred thousand phases and events. What has more is left open, and shows. */
const MAX_PAGES = 1000;
const MAX_TRANSITIONS = 20_000;

/**
 * When the phases of a workload began, as far as that is kept.
 * @throws ApiFailure
 */
export async function historyOf(api: RunaiApi, id: string, signal: AbortSignal): Promise<readonly Transition[]> {
  const transitions: Transition[] = [];
  let offset = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { records, next } = await pageOf(api, id, offset, signal);
    for (const record of records) {
      const transition = transitionOf(record);
      if (transition !== undefined) transitions.push(transition);
    }
    if (transitions.length > MAX_TRANSITIONS) break;
    const isLast = next === undefined || next === null;
    if (isLast && records.length < PAGE_SIZE) return transitions;
    const following = isLast ? offset + records.length : next;
    if (typeof following !== 'number' || following <= offset) break;
    offset = following;
  }
  throw new ApiFailure('the history does not end', false);
}

async function pageOf(api: RunaiApi, id: string, offset: number, signal: AbortSignal) {
  const query = { limit: String(PAGE_SIZE), offset: String(offset) };
  try {
    const { body } = await api.get(`/api/v1/workloads/${id}/history`, query, signal);
    const { records, next } = isObject(body) ? body : {};
    if (Array.isArray(records)) return { records: records as readonly unknown[], next };
  } catch (error) {
    // It is not kept for what was deleted, say: then the list is all that is known.
    if (error instanceof ApiFailure && error.isForGood) return { records: [], next: undefined };
    throw error;
  }
  throw new ApiFailure('the answer has no records', false);
}

function transitionOf(record: unknown): Transition | undefined {
  if (!isObject(record) || !isObject(record['meta']) || !isObject(record['spec'])) return undefined;
  const { type, creationTimestamp } = record['meta'];
  const { phaseUpdate } = record['spec'];
  const atMs = instantOf(creationTimestamp);
  if (type !== 'PhaseUpdate' || atMs === undefined || !isObject(phaseUpdate)) return undefined;
  const { phase } = phaseUpdate;
  return typeof phase === 'string' ? { atMs, phase } : undefined;
}
