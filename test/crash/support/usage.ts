import type { BackendProcess } from './backend-process.ts';

/** Counts every request. */
export const METER = {
  key: 'crash_requests',
  name: 'Requests',
  event_type: 'kong.api_request',
  aggregation: 'count',
} as const;

interface EventPage {
  readonly data: readonly { readonly event: { readonly id: string } }[];
  readonly meta: { readonly page: { readonly next: string | null } };
}

/** The ids of all stored events of a subject, as often as they are listed. */
export async function eventIdsOf(backend: BackendProcess, subject: string): Promise<string[]> {
  const ids: string[] = [];
  for (let after = ''; ; ) {
    const path = `/events?page[size]=100&filter[subject]=${subject}${after === '' ? '' : `&page[after]=${encodeURIComponent(after)}`}`;
    const { data, meta } = (await backend.get(path)) as EventPage;
    ids.push(...data.map(({ event }) => event.id));
    if (meta.page.next === null) return ids;
    after = meta.page.next;
  }
}

/** What the meter says of a subject, over all time. */
export async function countOf(backend: BackendProcess, subject: string): Promise<number> {
  const { data } = (await backend.get(`/meters?filter[key]=${METER.key}`)) as { data: { id: string }[] };
  const query = { filters: { dimensions: { subject: { eq: subject } } } };
  const answer = (await backend.post(`/meters/${data[0]?.id}/query`, query)) as { data: { value: string }[] };
  return Number(answer.data[0]?.value ?? 0);
}

export interface LedgerEntry {
  readonly node: string;
  readonly process: string;
  readonly received: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly taken?: number;
  readonly last_number?: number;
  readonly missing_count: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** Every process that has ever sent anything. */
export async function ledger(backend: BackendProcess): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (let number = 1; ; number++) {
    const page = (await backend.get(`/gateway-nodes?page[size]=100&page[number]=${number}`)) as { data: LedgerEntry[] };
    entries.push(...page.data);
    if (page.data.length < 100) return entries;
  }
}
