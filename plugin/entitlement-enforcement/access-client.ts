import { randomUUID } from 'node:crypto';
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { AccessSettings } from './config.ts';
import type { LeaseQuestion } from './leasing.ts';

/** A question for a lease, about one customer. */
export interface LeaseRow extends LeaseQuestion {
  readonly key: string;
}

/** Asks the backend about customers. */
export interface AccessClient {
  /** @returns the body of the answer @throws Error that says what went wrong, without token and body */
  ask(keys: readonly string[], leases?: readonly LeaseRow[]): Promise<string>;
}

/** Connections at a time: as many questions as are asked at once. */
const CONNECTIONS = 2;
/** An answer about a hundred customers and one feature is some 50 KB. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** The most that the contract lets one page have. */
const PAGE_SIZE = 100;
/** A backend that has no balances is not asked for them again for this long. */
const WITHOUT_BALANCES_MS = 600_000;

const ACCESS_PATH = /\/entitlement-access\/query\/?$/;

/**
 * Asks for balances beside the endpoint where the backend has them (`…/entitlement-access/balances`), so that this node
 * can count along, and else for access alone, as Konnect answers it.
 */
export function createAccessClient(settings: AccessSettings, nowMs: () => number): AccessClient {
  const { endpoint, token, timeoutMs, keepaliveMs, sslVerify, featureKey, includesCredits } = settings;
  const pool = new Pool(endpoint.origin, {
    connections: CONNECTIONS,
    connectTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: Math.max(1, keepaliveMs),
    keepAliveMaxTimeout: Math.max(1, keepaliveMs),
    allowH2: false,
    connect: { rejectUnauthorized: sslVerify },
  });
  const pathOf = (name: string) => endpoint.pathname.replace(ACCESS_PATH, `/entitlement-access/${name}`);
  const hasBalances = ACCESS_PATH.test(endpoint.pathname);
  const node = randomUUID();
  let withoutBalancesUntilMs = 0;

  async function post(path: string, question: object, isPaged = true): Promise<{ status: number; text: string }> {
    const paged = endpoint.search === '' ? `?page[size]=${PAGE_SIZE}` : `${endpoint.search}&page[size]=${PAGE_SIZE}`;
    const answer = await request.call(pool, {
      method: 'POST',
      path: path + (isPaged ? paged : endpoint.search),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'kong-entitlement-enforcement',
      },
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
    return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  }

  return {
    async ask(keys, leases) {
      const query = { customer: { keys }, feature: { keys: [featureKey] }, include_credits: includesCredits };
      if (hasBalances && nowMs() >= withoutBalancesUntilMs) {
        const { status, text } =
          leases === undefined
            ? await post(pathOf('balances'), query)
            : await post(pathOf('leases'), { node, feature: { key: featureKey }, customers: leases }, false);
        if (status === 200) return text;
        if (status !== 404 && status !== 405) throw new Error(`the backend answered ${status}`);
        withoutBalancesUntilMs = nowMs() + WITHOUT_BALANCES_MS;
      }
      const { status, text } = await post(endpoint.pathname, query);
      if (status !== 200) throw new Error(`the backend answered ${status}`);
      return text;
    },
  };
}
