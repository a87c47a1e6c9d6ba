import { type FilterCondition, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage, type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { GatewayRequests } from '../usage-store/index.ts';
import {
  type GatewayProcessPage,
  type GatewayRequestsPage,
  gatewayProcessPageSchema,
  gatewayRequestsPageSchema,
  sourceReportSchema,
} from './schema.ts';
import type { Source, Sources } from './service.ts';

const FILTERS = { node: 'plain' } as const;

const TAG = 'Sources';

/** Registers the ledger of sources: who sent what, and what is missing. Our own addition to the contract. */
export function gatewayNodeRoutes(router: Router, sources: Sources): void {
  const list = {
    method: 'get',
    tag: TAG,
    access: 'read',
    query: queryOf({ page: numberedPage(), node: refine(filterBy(FILTERS), nodeOf) }),
    responses: { 200: jsonResponse('A page of processes.', gatewayProcessPageSchema) },
  } as const;
  router.endpoint(
    {
      ...list,
      path: '/sources',
      operationId: 'list-sources',
      summary: 'List sources',
      description:
        'The ledger of every gateway process and collector that numbers its events: what arrived, what is missing, what it ' +
        'dropped itself; and what a collector says of its source. The one seen last comes first.',
    },
    async ({ answer, query }) => answer(await listPage(sources, query.page, query.node)),
  );
  router.endpoint(
    {
      ...list,
      path: '/gateway-nodes',
      operationId: 'list-gateway-nodes',
      summary: 'List gateway nodes',
      description: 'The older name of `list-sources`, with the same answer.',
    },
    async ({ answer, query }) => answer(await listPage(sources, query.page, query.node)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/source-reports',
      operationId: 'report-source',
      tag: TAG,
      summary: 'Report a source',
      description:
        'What a collector says of its source, once a minute; the last report is kept, for 90 days. The token that reported a ' +
        'source last is the only one that may, until ten minutes have passed without a report.',
      access: 'ingest',
      body: sourceReportSchema,
      responses: { 204: { description: 'Kept.' } },
    },
    async ({ c, body }) => {
      const caller = c.get('caller');
      if (caller === undefined) throw new Error('a route that needs a token was reached without one');
      await sources.take(body, caller.tokenId);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/gateway-requests',
      operationId: 'list-gateway-requests',
      tag: TAG,
      summary: 'List requests of gateways',
      description:
        'What each gateway served by its own count, and what became of it: metered, not metered with a reason, and ' +
        'unexplained. Of gateways whose plugin server reads their status. The one that told last comes first.',
      access: 'read',
      query: queryOf({ page: numberedPage(), node: refine(filterBy(FILTERS), nodeOf) }),
      responses: { 200: jsonResponse('A page of accounts.', gatewayRequestsPageSchema) },
    },
    async ({ answer, query }) => {
      const { accounts, total } = await sources.requests(pageOf(query.page, query.node));
      return answer({ data: accounts.map(toRequests), meta: pageMeta(query.page, total) });
    },
  );
}

function nodeOf(filters: readonly FilterCondition[]): string | undefined {
  return filters[0]?.values[0];
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

async function listPage(service: Sources, page: PageRequest, node: string | undefined): Promise<GatewayProcessPage> {
  const { sources, total } = await service.list(pageOf(page, node));
  return { data: sources.map(toAnswer), meta: pageMeta(page, total) };
}

function toAnswer({ process, kind, report }: Source): GatewayProcessPage['data'][number] {
  return {
    node: process.node,
    kind,
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
    ...(report !== undefined && { report }),
  };
}
