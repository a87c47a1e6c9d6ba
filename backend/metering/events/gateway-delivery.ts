import { invalidParameter } from '../../platform/errors.ts';
import type { HttpContext } from '../../platform/http/router.ts';
import type { GatewayDelivery, NumberRange } from '../usage-store/index.ts';

/** The headers with which a gateway's sender numbers what it delivers. Backends that do not know them ignore them. */
const GATEWAY_HEADERS = {
  node: 'Metering-Node',
  process: 'Metering-Process',
  sequence: 'Metering-Sequence',
  taken: 'Metering-Taken',
  dropped: 'Metering-Dropped',
  account: 'Metering-Account',
  served: 'Metering-Requests-Served',
  metered: 'Metering-Requests-Metered',
  notMetered: 'Metering-Requests-Not-Metered',
  unexplained: 'Metering-Requests-Unexplained',
} as const;

const NAME = /^[\w.:@-]{1,128}$/;
const REASON = /^[a-z][a-z0-9_]{0,63}$/;
/** A batch that was split or had gaps still fits a header; a sender with more gaps sends several batches. */
const MAX_RANGES = 100;
const MAX_REASONS = 50;

/** What a request's headers say about its gateway, without the counts that only storing gives. */
export type DeliveryHeaders = Omit<GatewayDelivery, 'received' | 'rejected'>;

/**
 * Reads the gateway's headers: "Metering-Node: gw-1", "Metering-Process: 01J…", "Metering-Sequence: 1-50,52",
 * "Metering-Taken: 60", "Metering-Dropped: queue_full=3,no_subject=1"; and of what it has served "Metering-Account: 01K… 17",
 * "Metering-Requests-Served: 64", "Metering-Requests-Metered: 60", "Metering-Requests-Not-Metered: no_subject=3",
 * "Metering-Requests-Unexplained: 1".
 * @returns undefined when the request comes from no numbering sender
 * @throws RequestProblem 400 that names the header
 */
export function readDeliveryHeaders(c: HttpContext): DeliveryHeaders | undefined {
  const node = c.req.header(GATEWAY_HEADERS.node);
  if (node === undefined) return undefined;
  const process = c.req.header(GATEWAY_HEADERS.process) ?? '';
  if (!NAME.test(node)) throw refuse(GATEWAY_HEADERS.node, 'must have 1 to 128 letters, digits or . : @ _ -');
  if (!NAME.test(process)) throw refuse(GATEWAY_HEADERS.process, 'must have 1 to 128 letters, digits or . : @ _ -');
  const taken = c.req.header(GATEWAY_HEADERS.taken);
  const dropped = c.req.header(GATEWAY_HEADERS.dropped);
  const requests = readRequests(c);
  return {
    node,
    process,
    ranges: readRanges(c.req.header(GATEWAY_HEADERS.sequence) ?? ''),
    ...(taken !== undefined && { taken: readNumber(taken, GATEWAY_HEADERS.taken) }),
    ...(dropped !== undefined && { dropped: readCounts(dropped, GATEWAY_HEADERS.dropped) }),
    ...(requests !== undefined && { requests }),
  };
}

function readRequests(c: HttpContext): GatewayDelivery['requests'] {
  const header = c.req.header(GATEWAY_HEADERS.account);
  if (header === undefined) return undefined;
  const [account = '', revision = '', ...more] = header.split(' ');
  if (!NAME.test(account) || more.length > 0) {
    throw refuse(GATEWAY_HEADERS.account, 'must be a name and a number such as "a-1 17"');
  }
  const count = (name: 'served' | 'metered' | 'unexplained') =>
    readNumber(c.req.header(GATEWAY_HEADERS[name]) ?? '', GATEWAY_HEADERS[name]);
  return {
    account,
    revision: readNumber(revision, GATEWAY_HEADERS.account),
    served: count('served'),
    metered: count('metered'),
    notMetered: readCounts(c.req.header(GATEWAY_HEADERS.notMetered) ?? '', GATEWAY_HEADERS.notMetered),
    unexplained: count('unexplained'),
  };
}

function readRanges(text: string): NumberRange[] {
  if (text === '') return [];
  const parts = text.split(',');
  const name = GATEWAY_HEADERS.sequence;
  if (parts.length > MAX_RANGES) throw refuse(name, `must have at most ${MAX_RANGES} ranges`);
  return parts.map((part) => {
    const match = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(part);
    if (match === null) throw refuse(name, 'must be numbers and ranges such as "1-50,52"');
    const first = readNumber(match[1] ?? '', name);
    const last = match[2] === undefined ? first : readNumber(match[2], name);
    if (first < 1 || last < first) throw refuse(name, 'must have ranges that begin at 1 and do not run backwards');
    return { first, last };
  });
}

function readCounts(text: string, name: string): Record<string, number> {
  const entries = text === '' ? [] : text.split(',').map((part) => part.trim().split('='));
  if (entries.length > MAX_REASONS) throw refuse(name, `must have at most ${MAX_REASONS} reasons`);
  return Object.fromEntries(
    entries.map(([reason = '', count = '']) => {
      if (!REASON.test(reason)) throw refuse(name, 'must be counts by reason such as "queue_full=3"');
      return [reason, readNumber(count, name)];
    }),
  );
}

function readNumber(text: string, header: string): number {
  if (!/^\d{1,15}$/.test(text)) throw refuse(header, 'must have whole numbers of at most 15 digits');
  return Number.parseInt(text, 10);
}

function refuse(field: string, reason: string) {
  return invalidParameter({ field, rule: 'invalid', reason, source: 'header' });
}
