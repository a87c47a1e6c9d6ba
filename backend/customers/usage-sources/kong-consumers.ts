import { type Agent, request } from 'undici';
import { z } from 'zod';
import { outgoingPolicy } from '../../platform/http/outgoing-address.ts';
import { createOutgoingAgent, RefusedAddress } from '../../platform/http/outgoing-agent.ts';

/** Where the gateway's consumers are read from. */
export interface KongAdminSettings {
  /** "http://127.0.0.1:8001", with a path where the Admin API has one. No other host is ever asked. */
  url: string;
  /** Sent as `Kong-Admin-Token`, which gateways with access control ask for. */
  token?: string | undefined;
  /** Addresses and ranges of the machine itself or its local link that the host may have; see outgoing-address.ts. */
  localAddresses?: readonly string[] | undefined;
}

/** A consumer of the gateway, as far as it can be a subject. */
export interface KongConsumer {
  id: string;
  username?: string | null | undefined;
  custom_id?: string | null | undefined;
}

/** Why consumers could not be read: a sentence for people, without the token and without the answer. */
export class KongAdminProblem extends Error {}

/** Kong answers at most 1,000 entities a page; a picker over more than 10,000 consumers needs a search, not a list. */
const PAGE_SIZE = 1000;
const MAX_PAGES = 10;
/** A consumer takes some 300 bytes: a page of 1,000 with long names and tags fits several times. */
const MAX_PAGE_BYTES = 4_194_304;
/** The Admin API stands beside the gateway; who waits longer for a picker believes it broken. */
const TIMEOUT_MS = 5_000;
/** Consumers read within this time are shown again: every keystroke in a picker asks. */
const FRESH_MS = 10_000;

const REFUSED =
  'the Kong Admin API is not asked: its address is one of this machine or its local link, and not in OUTGOING_LOCAL_ADDRESSES';

const pageSchema = z.object({
  data: z.array(z.object({ id: z.string(), username: z.string().nullish(), custom_id: z.string().nullish() })),
  offset: z.string().nullish(),
});

/** The consumers of a gateway. */
export interface KongConsumers {
  /** At most 10,000. @throws KongAdminProblem */
  list(nowMs: number): Promise<{ consumers: readonly KongConsumer[]; isComplete: boolean }>;
}

/** Reads consumers from a Kong Admin API: one host, no redirects, a bounded answer in a bounded time. */
export function createKongConsumers(settings: KongAdminSettings): KongConsumers {
  const policy = outgoingPolicy(settings.url, settings.localAddresses ?? []);
  const agent = createOutgoingAgent({ policy, timeoutMs: TIMEOUT_MS, maxResponseBytes: MAX_PAGE_BYTES });
  let read: { atMs: number; result: ReturnType<KongConsumers['list']> } | undefined;
  return {
    list: (nowMs) => {
      if (read === undefined || nowMs - read.atMs > FRESH_MS || nowMs < read.atMs) {
        const result = readAll(settings, agent);
        const current = { atMs: nowMs, result };
        read = current;
        // A failure is not kept: the gateway may be back for the next who asks.
        result.catch(() => {
          if (read === current) read = undefined;
        });
      }
      return read.result;
    },
  };
}

async function readAll(settings: KongAdminSettings, agent: Agent): ReturnType<KongConsumers['list']> {
  const consumers: KongConsumer[] = [];
  const deadline = AbortSignal.timeout(TIMEOUT_MS * 2);
  let offset: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const read = await readPage(settings, agent, offset, deadline);
    consumers.push(...read.data);
    if (read.offset == null) return { consumers, isComplete: true };
    offset = read.offset;
  }
  return { consumers, isComplete: false };
}

/** The next page is asked for by its offset alone: the address that the answer names for it is not followed. */
async function readPage(
  { url, token }: KongAdminSettings,
  dispatcher: Agent,
  offset: string | undefined,
  signal: AbortSignal,
): Promise<z.output<typeof pageSchema>> {
  const address = new URL(`${url.replace(/\/+$/, '')}/consumers`);
  address.searchParams.set('size', `${PAGE_SIZE}`);
  if (offset !== undefined) address.searchParams.set('offset', offset);
  const headers = { accept: 'application/json', ...(token !== undefined && { 'kong-admin-token': token }) };
  try {
    const { statusCode, body } = await request(address, { dispatcher, headers, signal });
    if (statusCode !== 200) {
      await body.dump();
      throw new KongAdminProblem(`the Kong Admin API answers ${statusCode}`);
    }
    const result = pageSchema.safeParse(await body.json());
    if (!result.success) throw new KongAdminProblem('the Kong Admin API answers something else than consumers');
    return result.data;
  } catch (error) {
    if (error instanceof KongAdminProblem) throw error;
    if (error instanceof RefusedAddress) throw new KongAdminProblem(REFUSED);
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new KongAdminProblem(`the Kong Admin API cannot be read${code}`, { cause: error });
  }
}
