import { type Agent, request } from 'undici';
import { publicPolicy } from '../../../platform/http/outgoing-address.ts';
import {
  createOutgoingAgent,
  type OutgoingAgentOptions,
  RefusedAddress,
} from '../../../platform/http/outgoing-agent.ts';
import type { Message, Sent, Transport, WebhookTarget } from '../types.ts';
import { signatures } from './sign.ts';

export interface WebhookOptions {
  /** Addresses and ranges that are no public ones and may be reached all the same. */
  allowedNetworks: readonly string[];
  /** Until the answer's status is there. */
  timeoutMs: number;
  lookup?: OutgoingAgentOptions['lookup'];
}

/** What is kept of an answer. */
const MAX_BODY_BYTES = 4096;
/** At the same time to one host: channels are bounded by themselves, and several may have one host. */
const CONNECTIONS = 16;

/** What tells a sender that a message is not wanted again. Source: Svix. */
const ABORT = { header: 'webhook-delivery', value: 'abort-message' };

/** Sends a message as Standard Webhooks 1.0.0 has it, with the names of headers that Svix gave them besides. */
export function createWebhookTransport(options: WebhookOptions): Transport<WebhookTarget> & { close(): Promise<void> } {
  const policies = publicPolicy(options.allowedNetworks);
  const { timeoutMs, lookup } = options;
  const agentFor = (policy: OutgoingAgentOptions['policy']) =>
    createOutgoingAgent({ policy, timeoutMs, connections: CONNECTIONS, ...(lookup !== undefined && { lookup }) });
  const agents = { 'https:': agentFor(policies.https), 'http:': agentFor(policies.http) };
  const send = async (target: WebhookTarget, message: Message): Promise<Sent> => {
    const { protocol } = new URL(target.url);
    const agent = protocol === 'https:' || protocol === 'http:' ? agents[protocol] : undefined;
    if (agent === undefined) return failed('the address is neither https nor http');
    try {
      return await post(agent, target, message, timeoutMs);
    } catch (error) {
      return failed(whyNot(error, timeoutMs));
    }
  };
  return Object.assign(send, {
    close: async () => void (await Promise.all(Object.values(agents).map((agent) => agent.destroy()))),
  });
}

async function post(dispatcher: Agent, target: WebhookTarget, message: Message, timeoutMs: number): Promise<Sent> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { statusCode, headers, body } = await request(target.url, {
    dispatcher,
    method: 'POST',
    headers: { ...target.headers, ...signedHeaders(target, message) },
    body: message.payload,
    signal,
  });
  const isSuccess = statusCode >= 200 && statusCode < 300;
  const text = await beginningOf(body);
  return {
    isSuccess,
    statusCode,
    body: text,
    ...(!isSuccess && {
      retryAfterMs: readRetryAfterMs(headers['retry-after'], message.atMs),
      isRefused: headers[ABORT.header] === ABORT.value,
      isGone: statusCode === 410,
    }),
  };
}

function signedHeaders({ signingSecrets }: WebhookTarget, { id, payload, atMs }: Message): Record<string, string> {
  const timestamp = `${Math.floor(atMs / 1000)}`;
  const signature = signatures(signingSecrets, id, timestamp, payload);
  return {
    'content-type': 'application/json',
    'user-agent': 'kong-metering-and-billing',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
    'svix-id': id,
    'svix-timestamp': timestamp,
    'svix-signature': signature,
  };
}

/** The status is what counts: an answer that breaks off, or never ends, has said what it had to say. */
async function beginningOf(body: AsyncIterable<Uint8Array> & { destroy(): void }): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= MAX_BODY_BYTES) break;
    }
  } catch {
    // Cut off.
  }
  body.destroy();
  const text = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
  return text.replaceAll('\0', '');
}

/** Seconds or a date, as RFC 9110 has it. */
function readRetryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number.parseInt(header, 10) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function failed(body: string): Sent {
  return { isSuccess: false, statusCode: undefined, body };
}

/** A sentence for people: nothing of the network that the address leads to. */
function whyNot(error: unknown, timeoutMs: number): string {
  if (error instanceof RefusedAddress) return 'the address is not one that may be reached';
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name.endsWith('TimeoutError'))) {
    return `no answer within ${timeoutMs} ms`;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return `no answer: ${code}`;
}
