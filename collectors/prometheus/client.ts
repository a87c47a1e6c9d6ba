import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../../delivery/clock.ts';
import { createSlots, createTurn, type Turn } from './slots.ts';

/** What became of a question. */
export type Asked =
  | { readonly kind: 'answer'; readonly body: Buffer; readonly date: string | undefined }
  | { readonly kind: 'too large' }
  | AskFailure;

export interface AskFailure {
  readonly kind: 'failed';
  /** The server was there, and had a word on the question itself: another question may fare better. */
  readonly isRefused: boolean;
  /** There was no answer, or it broke off. */
  readonly isSilent: boolean;
  readonly reason: string;
}

/** Asks the query API of one server. */
export interface Client {
  /**
   * An instant query. Never rejects; ends within the timeout, and at once when the signal is aborted.
   * @param turn begun for a large answer, and not over before that is not needed any more; the timeout stands still until then
   */
  query(promql: string, atMs: number, turn: Turn, signal: AbortSignal): Promise<Asked>;
  /** For all that is asked for one window. */
  turn(): Turn;
  close(): Promise<void>;
}

export interface ClientSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly basicAuth: { readonly username: string; readonly password: string } | undefined;
  readonly bearerToken: string | undefined;
  /** Read anew for each question: tokens in files are changed while we run. */
  readonly bearerTokenFile: string | undefined;
  readonly tls: {
    readonly ca_file?: string | undefined;
    readonly cert_file?: string | undefined;
    readonly key_file?: string | undefined;
    readonly server_name?: string | undefined;
    readonly skip_cert_verify: boolean;
  };
  readonly timeoutMs: number;
}

/** A hundred thousand series take some 15 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Most answers are smaller; larger ones of two windows are there at once, so that a hundred queries cannot fill the memory. */
const LARGE_BYTES = 1024 * 1024;
const LARGE_AT_ONCE = 2;
const FIRST_BYTES = 16 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;
const MAX_REASON_LENGTH = 300;
const MAX_TOKEN_LENGTH = 64 * 1024;
/** What Prometheus says when it would have to load more samples than it may: a shorter span of time can be asked for. */
const TOO_MANY = /too many samples/;

/** What a question is bounded by. */
interface Limits {
  readonly signal: AbortSignal;
  /** Waits for the turn of a large answer. */
  begin(): Promise<void>;
}

/** @throws Error when a file that the settings name cannot be read */
export function createClient(settings: ClientSettings, clock: Clock): Client {
  const { tls, timeoutMs } = settings;
  const agent = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: {
      timeout: timeoutMs,
      rejectUnauthorized: !tls.skip_cert_verify,
      ...(tls.ca_file !== undefined && { ca: readFileSync(tls.ca_file) }),
      ...(tls.cert_file !== undefined && { cert: readFileSync(tls.cert_file) }),
      ...(tls.key_file !== undefined && { key: readFileSync(tls.key_file) }),
      ...(tls.server_name !== undefined && { servername: tls.server_name }),
    },
  });
  const large = createSlots(LARGE_AT_ONCE);
  const url = new URL(settings.url);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;

  async function ask(body: string, authorization: string | undefined, limits: Limits): Promise<Asked> {
    const { signal } = limits;
    const answer = await request(url, {
      dispatcher: agent,
      method: 'POST',
      body,
      signal,
      headers: {
        ...settings.headers,
        ...(authorization !== undefined && { authorization }),
        accept: 'application/json',
        // What is small when it comes and large when it is unpacked cannot be bounded on the way.
        'accept-encoding': 'identity',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'kong-metering-collector',
      },
    });
    return answer.statusCode === 200 ? readAnswer(answer, limits) : refusalOf(answer);
  }

  async function readAnswer({ headers, body }: Dispatcher.ResponseData, { begin }: Limits): Promise<Asked> {
    const encoding = first(headers['content-encoding']);
    if (encoding !== undefined && encoding !== 'identity') {
      // Without somebody who listens, the end of a body that nobody reads would be an error of the process.
      body.on('error', () => {}).destroy();
      return failed('the answer is packed, which nobody asked for');
    }
    let whole = Buffer.allocUnsafe(FIRST_BYTES);
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const end = bytes + chunk.length;
      if (end > MAX_ANSWER_BYTES) return { kind: 'too large' };
      if (end > LARGE_BYTES) await begin();
      // Copied at once: chunks that are kept until the end would be there beside the whole.
      if (end > whole.length) whole = grown(whole, bytes, end);
      chunk.copy(whole, bytes);
      bytes = end;
    }
    return { kind: 'answer', body: whole.subarray(0, bytes), date: first(headers['date']) };
  }

  return {
    turn: () => createTurn(large),
    async query(promql, atMs, turn, stop) {
      const cut = new AbortController();
      const start = () => clock.setTimer(() => cut.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      let timer = start();
      // That others have large answers is not the server's fault.
      const begin = async () => {
        timer.cancel();
        await turn.begin(stop);
        timer = start();
      };
      const signal = AbortSignal.any([stop, cut.signal]);
      let authorization: string | undefined;
      const scrub = (text: string) => withoutSecrets(text, settings, authorization);
      try {
        authorization = authorizationOf(settings);
        const form = new URLSearchParams({
          query: promql,
          time: (atMs / 1000).toFixed(3),
          timeout: `${timeoutMs}ms`,
        });
        const asked = await ask(form.toString(), authorization, { signal, begin });
        return asked.kind === 'failed' ? { ...asked, reason: scrub(asked.reason) } : asked;
      } catch (error) {
        return failed(scrub(cut.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error)), {
          isSilent: true,
        });
      } finally {
        timer.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

function failed(reason: string, { isRefused = false, isSilent = false } = {}): AskFailure {
  return { kind: 'failed', isRefused, isSilent, reason: reason.slice(0, MAX_REASON_LENGTH) };
}

/** What an answer that is not 200 means. Redirects are not followed: they could carry credentials anywhere. */
async function refusalOf({ statusCode, body }: Dispatcher.ResponseData): Promise<Asked> {
  let text = '';
  for await (const chunk of body as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.length > MAX_ERROR_BYTES) break;
  }
  if (statusCode >= 300 && statusCode < 400) return failed('the server redirects, which is not followed');
  const said = saidIn(text);
  if (TOO_MANY.test(said ?? '')) return { kind: 'too large' };
  const isRefused = (statusCode === 400 || statusCode === 422) && said !== undefined;
  return failed(`status ${statusCode}${said === undefined ? '' : `: ${said}`}`, { isRefused });
}

function saidIn(text: string): string | undefined {
  // Nested deeper than an error is, it is none.
  if (text.length > MAX_ERROR_BYTES || /[[{][^"]*[[{][^"]*[[{]/.test(text)) return undefined;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

function authorizationOf({ basicAuth, bearerToken, bearerTokenFile }: ClientSettings): string | undefined {
  if (basicAuth !== undefined) {
    return `Basic ${Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64')}`;
  }
  if (bearerToken !== undefined) return `Bearer ${bearerToken}`;
  if (bearerTokenFile === undefined) return undefined;
  const token = readFileSync(bearerTokenFile, 'utf8').trim();
  if (token.length > MAX_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token))
    throw new Error('bearer_token_file has no token');
  return `Bearer ${token}`;
}

/** What a server repeats of what it was sent must not come into a log. */
function withoutSecrets(
  text: string,
  { basicAuth, headers }: ClientSettings,
  authorization: string | undefined,
): string {
  const own = Object.entries(headers).flatMap(([name, value]) => (name.toLowerCase() === 'accept' ? [] : [value]));
  const sent = [basicAuth?.password, authorization, ...own].flatMap((one) => [one, one?.replace(/^\w+ /, '')]);
  const secrets = sent.filter((one) => one !== undefined && one !== '');
  return secrets.reduce<string>((rest, secret) => rest.replaceAll(secret ?? '', '[secret]'), text);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message}`;
}

/** A large one gets all that it may need: what is never written to takes no memory, and copies would. */
function grown(buffer: Buffer<ArrayBuffer>, used: number, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(needed > LARGE_BYTES ? MAX_ANSWER_BYTES : Math.max(needed, 2 * buffer.length));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
