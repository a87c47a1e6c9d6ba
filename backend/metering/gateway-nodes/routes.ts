import { type FilterCondition, type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage, type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { GatewayProcess, GatewayRequests, UsageStore } from '../usage-store/index.ts';
import {
  type GatewayProcessPage,
  type GatewayRequestsPage,
  gatewayProcessPageSchema,
  gatewayRequestsPageSchema,
} from './schema.ts';

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
      query: queryOf({ page: numberedPage(), node: refine(filterBy(FILTERS), nodeOf) }),
      responses: { 200: jsonResponse('A page of processes.', gatewayProcessPageSchema) },
    },
    async ({ answer, query }) => {
      return answer(await listPage(usage, query.page, query.node));
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/gateway-requests',
      operationId: 'list-gateway-requests',
      tag: 'Gateway Nodes',
      summary: 'List requests of gateways',
      description:
        'What each gateway served by its own count, and what became of it: metered, not metered with a reason, and ' +
        'unexplained. Of gateways whose plugin server reads their status. The one that told last comes first.',
      access: 'read',
      query: queryOf({ page: numberedPage(), node: refine(filterBy(FILTERS), nodeOf) }),
      responses: { 200: jsonResponse('A page of accounts.', gatewayRequestsPageSchema) },
    },
    async ({ answer, query }) => {
      const page = query.page;
      const { accounts, total } = await usage.gatewayRequests(pageOf(page, query.node));
      return answer({ data: accounts.map(toRequests), meta: pageMeta(page, total) });
    },
  );
}

function nodeOf(filters: readonly FilterCondition[]): string | undefined {
  return filters.find((filter) => filter.operator === 'eq')?.values[0];
}

function pageOf({ number, size }: PageRequest, node: string | undefined) {
  return { offset: (number - 1) * size, limit: size, ...(node !== undefined && { node }) };
}

function toRequests(account: GatewayRequests): GatewayRequestsPage['data'][number] {
  const { served, metered, notMetered, unexplained } = account;
  const reasons = Object.values(notMetered).reduce((sum, count) => sum + count, 0);
  return {
    node: account.node,
    account: account.account,
    first_seen_at: formatInstant(account.firstSeenAtMs),
    last_seen_at: formatInstant(account.lastSeenAtMs),
    served,
    metered,
    not_metered: { ...notMetered },
    under_way: Math.max(0, served - metered - reasons - unexplained),
    unexplained,
  };
}

async function listPage(usage: UsageStore, page: PageRequest, node: string | undefined): Promise<GatewayProcessPage> {
  const { processes, total } = await usage.gatewayProcesses(pageOf(page, node));
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
  };
}
