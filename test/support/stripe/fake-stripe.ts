/**
 * Stripe, as far as this project speaks to it: a server on the loopback that keeps what it was told and refuses what Stripe would
 * refuse. The real package talks to it. Shapes are those of the package's types; what is refused, of Stripe's pages.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import type { Clock } from '../../../backend/platform/clock.ts';
import { type FormObject, parseForm } from './form.ts';
import { Refusal, wrong } from './refusal.ts';
import { createStripeState, type StripeState } from './state.ts';

/** A key opens the account that stands before the two underscores: keys of one account differ after them. */
export const STRIPE_KEY = 'sk_test_fakefakefake__123';

/** What goes wrong with the next call that matches: before it was done, or after. */
export interface Fault {
  match: RegExp;
  how: '500 before' | '500 after' | 'reset before' | 'reset after' | '429' | '401';
  /** Matching calls that are let through first. */
  skip?: number;
}

export interface FakeStripe extends StripeState {
  url: string;
  /** What was called that changes something, in order: "POST /v1/invoices". */
  changes: string[];
  /** One fault, once; undefined: none. */
  fail(fault: Fault | undefined): void;
  /** Who calls is dead: nothing more arrives, after the next change or at once; undefined: everything arrives again. */
  cut(when: 'now' | 'after the next change' | undefined): void;
  /** From now on a key opens nothing. */
  revoke(key: string): void;
  /** Body and header of an event about what is there now. */
  event(
    type: string,
    object: unknown,
    options?: { secret?: string; atMs?: number; id?: string },
  ): { body: string; signature: string };
  close(): Promise<void>;
}

interface Stored {
  body: string;
  status: number;
  answer: string;
  atMs: number;
}

export async function startFakeStripe(clock: Clock): Promise<FakeStripe> {
  const state = createStripeState(() => Math.floor(clock.nowMs() / 1000));
  const stored = new Map<string, Stored>();
  const changes: string[] = [];
  const revoked = new Set<string>();
  let cut: 'now' | 'after the next change' | undefined;
  let fault: Fault | undefined;
  let events = 0;

  const takeFault = (name: string): Fault | undefined => {
    if (fault?.match.test(name) !== true) return undefined;
    if ((fault.skip ?? 0) > 0) {
      fault = { ...fault, skip: (fault.skip ?? 0) - 1 };
      return undefined;
    }
    const taken = fault;
    fault = undefined;
    return taken;
  };

  const run = (method: string, path: string, form: FormObject, body: string, idempotencyKey: string | undefined) => {
    const known = idempotencyKey === undefined ? undefined : stored.get(idempotencyKey);
    if (known !== undefined && clock.nowMs() - known.atMs < 86_400_000) {
      if (known.body === `${method} ${path} ${body}`)
        return { status: known.status, answer: known.answer, isReplayed: true };
      throw new Refusal(400, { type: 'idempotency_error', message: 'Keys can only be used with the same parameters.' });
    }
    if (method !== 'GET') changes.push(`${method} ${path}`);
    const done = state.call(method, path, form);
    const answer = { status: 200, answer: JSON.stringify(done), isReplayed: false };
    if (idempotencyKey !== undefined)
      stored.set(idempotencyKey, { ...answer, body: `${method} ${path} ${body}`, atMs: clock.nowMs() });
    return answer;
  };

  const answerTo = (
    request: IncomingMessage,
    body: string,
  ): { status: number; answer: string; isReplayed: boolean } => {
    const url = new URL(request.url ?? '/', 'http://stripe');
    const {
      authorization,
      'stripe-version': version,
      'content-type': type,
      'stripe-account': connected,
    } = request.headers;
    const [, account] = /^Bearer sk_test_(\w+?)__\w+$/.exec(authorization ?? '') ?? [];
    if (account === undefined || revoked.has((authorization ?? '').slice('Bearer '.length))) {
      throw new Refusal(401, { code: 'api_key_invalid', message: 'Invalid API Key provided: sk_test_********123' });
    }
    if (version !== Stripe.API_VERSION) throw wrong(`Stripe-Version ${String(version)}`);
    if (connected !== undefined) throw wrong('Stripe-Account');
    const method = request.method ?? 'GET';
    if (method === 'POST' && body !== '' && type !== 'application/x-www-form-urlencoded')
      throw wrong(`body of type ${String(type)}`);
    const given = request.headers['idempotency-key'];
    const idempotencyKey = typeof given === 'string' ? given : undefined;
    if (idempotencyKey !== undefined && idempotencyKey.length > 255) throw wrong('Idempotency-Key is too long');
    if (method === 'GET' && url.pathname === '/v1/account') {
      return { status: 200, answer: JSON.stringify({ id: `acct_${account}`, object: 'account' }), isReplayed: false };
    }
    const form = parseForm(method === 'GET' || method === 'DELETE' ? url.search.slice(1) : body);
    return run(method, url.pathname, form, body, idempotencyKey);
  };

  const handle = (request: IncomingMessage, response: ServerResponse, body: string) => {
    const hit = takeFault(`${request.method} ${request.url?.split('?', 1)[0]}`);
    if (hit?.how === 'reset before' || cut === 'now') return request.socket.destroy();
    const send = (status: number, answer: string, headers: Record<string, string> = {}) => {
      const isCut = cut !== undefined && request.method !== 'GET';
      if (isCut) cut = 'now';
      if (hit?.how === 'reset after' || isCut) return request.socket.destroy();
      response.writeHead(status, {
        'content-type': 'application/json',
        'request-id': `req_${changes.length}`,
        ...headers,
      });
      response.end(answer);
    };
    const failed = JSON.stringify({ error: { type: 'api_error', message: 'Something went wrong' } });
    if (hit?.how === '500 before') return send(500, failed);
    if (hit?.how === '401')
      return send(401, JSON.stringify({ error: { type: 'invalid_request_error', message: 'revoked' } }));
    if (hit?.how === '429') {
      const limited = JSON.stringify({
        error: { type: 'invalid_request_error', code: 'rate_limit', message: 'Too many requests' },
      });
      return send(429, limited, { 'retry-after': '7' });
    }
    try {
      const { status, answer, isReplayed } = answerTo(request, body);
      if (hit?.how === '500 after') {
        const given = request.headers['idempotency-key'];
        const known = typeof given === 'string' ? stored.get(given) : undefined;
        if (known !== undefined) Object.assign(known, { status: 500, answer: failed });
        return send(500, failed);
      }
      send(status, answer, isReplayed ? { 'idempotent-replayed': 'true' } : {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(error.status, JSON.stringify(error.body));
    }
  };

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => handle(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    changes,
    fail: (next) => {
      fault = next;
    },
    cut: (when) => {
      cut = when;
    },
    revoke: (key) => void revoked.add(key),
    event: (type, object, { secret = state.webhookSecret(), atMs = clock.nowMs(), id } = {}) => {
      events += 1;
      const payload = JSON.stringify({
        id: id ?? `evt_${events}`,
        object: 'event',
        api_version: '2020-08-27',
        type,
        data: { object },
      });
      const timestamp = Math.floor(atMs / 1000);
      return { body: payload, signature: Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }) };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
