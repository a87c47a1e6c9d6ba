import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';

export interface Question {
  readonly query: string;
  readonly timeMs: number;
  readonly authorization: string | undefined;
}

/** Answers the query API as a test says, or passes questions on to a real server. */
export interface QueryServer {
  readonly url: string;
  readonly asked: Question[];
  /** Undefined = as the server behind it does. */
  answer: (question: Question, response: ServerResponse) => 'done' | undefined;
  /** What the `Date` of answers is ahead of the machine's clock by. */
  aheadMs: number;
  close(): Promise<void>;
}

/** @param upstream undefined = what is not answered by the test is an empty vector */
export async function startQueryServer(upstream?: string): Promise<QueryServer> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => response.destroy());
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const form = new URLSearchParams(text);
      const question = {
        query: form.get('query') ?? '',
        timeMs: Math.round(Number(form.get('time')) * 1000),
        authorization: incoming.headers.authorization,
      };
      queries.asked.push(question);
      response.setHeader('date', new Date(Date.now() + queries.aheadMs).toUTCString());
      if (queries.answer(question, response) === 'done') return;
      if (upstream === undefined) return void response.end(vector([]));
      passOn(upstream, text, response).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const queries: QueryServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: () => undefined,
    aheadMs: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return queries;
}

async function passOn(upstream: string, body: string, response: ServerResponse): Promise<void> {
  const { statusCode, body: answer } = await request(`${upstream}/api/v1/query`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  response.statusCode = statusCode;
  response.end(Buffer.from(await answer.arrayBuffer()));
}

export function vector(result: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, ...more });
}
