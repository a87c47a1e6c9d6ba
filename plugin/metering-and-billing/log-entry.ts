import { createHash } from 'node:crypto';
import { countOf, elementsOf, fieldOf, type JsonObject, objectOf, textOf } from './json-values.ts';

/**
 * One logged request, as `kong.log.serialize()` describes it. The entry holds credentials, all headers and, with
 * `log_payloads`, whole conversations: take single fields out of it, never pass it on.
 */
export interface LogEntry {
  /** The same for every replay of the same entry. */
  readonly requestId: string;
  /** The status that the client got; 499 when it went away first. */
  readonly status: number;
  readonly request: JsonObject;
  readonly response: JsonObject;
  /** Everything else: consumer, route, service, ai … */
  readonly fields: JsonObject;
}

/**
 * Parses what `kong.log.serialize()` answered: a JSON string, or nothing when Kong could not encode the entry.
 * `undefined` for everything that is not the log of an HTTP request.
 */
export function parseLogEntry(raw: unknown): LogEntry | undefined {
  if (typeof raw !== 'string') return undefined;
  const fields = objectOf(parse(raw));
  const request = objectOf(fields?.['request']);
  const response = objectOf(fields?.['response']);
  const status = countOf(response?.['status']);
  if (fields === undefined || request === undefined || response === undefined || status === undefined) return undefined;
  const requestId = textOf(request['id']) ?? headerOf(response, 'x-kong-request-id') ?? hashOf(raw);
  return { requestId, status, request, response, fields };
}

/** Kong logs these headers as the word REDACTED: as a subject, it would bill everybody's requests to one customer. */
export const REDACTED_HEADERS: readonly string[] = ['authorization', 'proxy-authorization'];

/** The first value of a header of the request or the response. Kong logs header names in lower case. */
export function headerOf(message: JsonObject, lowerCaseName: string): string | undefined {
  if (REDACTED_HEADERS.includes(lowerCaseName)) return undefined;
  return firstText(fieldOf(objectOf(message['headers']), lowerCaseName));
}

/**
 * The first value of a query argument. Kong logs a repeated argument as a list and one without a value as `true`;
 * `?name` and `?name=` count as absent.
 */
export function queryArgumentOf(request: JsonObject, name: string): string | undefined {
  return firstText(fieldOf(objectOf(request['querystring']), name));
}

function firstText(value: unknown): string | undefined {
  return Array.isArray(value) ? elementsOf(value).map(textOf).find(isText) : textOf(value);
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    // The error quotes the text, which may hold credentials: it goes nowhere.
    return undefined;
  }
}

function hashOf(raw: string): string {
  return createHash('sha256').update(raw).digest('hex');
}
