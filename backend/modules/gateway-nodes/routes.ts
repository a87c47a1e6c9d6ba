import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { type PageRequest, pageMeta, readPage } from '../../platform/http/paging.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { GatewayProcess, UsageStore } from '../../usage-store/index.ts';
import { type GatewayProcessPage, gatewayProcessPageSchema } from './schema.ts';

const FILTERS: Record<'node', FilterKind> = { node: 'string-exact' };

/** Registers the ledger of gateway nodes: who sent what, and what is missing. Our own addition to the contract. */
export function gatewayNodeRoutes(router: Router, usage: UsageStore): void {
  router.endpoint(
    {
      method: 'get',
      path: '/gateway-nodes',
      operationId: 'list-gateway-nodes',
      tag: 'Gateway Nodes',
      summary: 'List gateway nodes',
      description:
        'The ledger of every gateway process that numbers its events: what arrived, what is missing, what it dropped itself. ' +
        'The process seen last comes first.',
      access: 'read',
      query: listQuery('page', undefined, FILTERS),
      responses: { 200: jsonResponse('A page of processes.', gatewayProcessPageSchema) },
    },
    async ({ c, query }) => {
      const node = readFilters(query, FILTERS).find((filter) => filter.operator === 'eq')?.values[0];
      return c.json(await listPage(usage, readPage(query), node));
    },
  );
}

async function listPage(usage: UsageStore, page: PageRequest, node: string | undefined): Promise<GatewayProcessPage> {
  const { processes, total } = await usage.gatewayProcesses({
    offset: (page.number - 1) * page.size,
    limit: page.size,
    ...(node !== undefined && { node }),
  });
  return { data: processes.map(toAnswer), meta: pageMeta(page, total) };
}

function toAnswer(process: GatewayProcess): GatewayProcessPage['data'][number] {
  return {
    node: process.node,
    process: process.process,
    first_seen_at: formatInstant(process.firstSeenAtMs),
    last_seen_at: formatInstant(process.lastSeenAtMs),
    received: process.received,
    stored: process.stored,
    duplicates: process.duplicates,
    rejected: process.rejected,
    ...(process.taken !== undefined && { taken: process.taken }),
    ...(process.lastNumber !== undefined && { last_number: process.lastNumber }),
    missing_count: process.missingCount,
    missing: process.missing.map(({ first, last }) => ({ first, last })),
    dropped: { ...process.dropped },
    ...(process.requestsServed !== undefined && { requests_served: process.requestsServed }),
    ...(process.logEntries !== undefined && { log_entries: process.logEntries }),
  };
}
