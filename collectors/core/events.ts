import { idOf } from './ids.ts';
import type { SourceRecord } from './source.ts';

/** One event as it is sent, or why a record made none. */
export type Made =
  | { readonly kind: 'events'; readonly events: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** A backend takes a megabyte and more in one request; an event of this size is a mistake of the mapping. */
const MAX_EVENT_BYTES = 256 * 1024;
/** Of all events of a record: a mapping that puts the whole message into each of them would multiply it. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;
/** No usage is nested like this; beyond some thousands the writer of JSON, here and there, has no stack left. */
const MAX_DEPTH = 64;
/** More than any message has series or rows; a mapping that runs wild must not fill the spool. */
const MAX_EVENTS_A_RECORD = 10_000;
const REQUIRED = ['type', 'source', 'subject'] as const;

/**
 * Makes events of a mapping's result: an object or an array of objects; nothing and an empty array skip the record. The id
 * is the mapping's or the one that the record's parts make; specversion is added. Attributes that have no value are left
 * out. What the endpoint would refuse for certain is refused here, where the reason can be told to the source.
 */
export function makeEvents(result: unknown, name: string, record: SourceRecord): Made {
  if (result === undefined || result === null) return { kind: 'events', events: [] };
  const items: readonly unknown[] = Array.isArray(result) ? result : [result];
  if (items.length > MAX_EVENTS_A_RECORD) {
    return { kind: 'refused', reason: `the mapping made more than ${MAX_EVENTS_A_RECORD} events of one message` };
  }
  const events: string[] = [];
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) return { kind: 'refused', reason: 'the mapping made something that is no object' };
    const event = eventOf(item, index, items.length, name, record);
    const reason = problemOf(event);
    if (reason !== undefined) return { kind: 'refused', reason };
    const json = jsonOf(event);
    if (json.kind === 'refused') return json;
    bytes += json.bytes;
    if (bytes > MAX_RECORD_BYTES) {
      return { kind: 'refused', reason: `the events of one message are larger than ${MAX_RECORD_BYTES} bytes` };
    }
    events.push(json.text);
  }
  return { kind: 'events', events };
}

type Json =
  | { readonly kind: 'json'; readonly text: string; readonly bytes: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Looks at the size before the text is made: some joined texts are of hundreds of megabytes, and take nothing until then. */
function jsonOf(event: unknown): Json {
  const tooLarge = { kind: 'refused', reason: `the event is larger than ${MAX_EVENT_BYTES} bytes` } as const;
  const left = roomLeft(event, MAX_EVENT_BYTES, MAX_DEPTH);
  if (left === 'too deep') return { kind: 'refused', reason: `the event is nested deeper than ${MAX_DEPTH}` };
  if (left < 0) return tooLarge;
  const text = JSON.stringify(event);
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_EVENT_BYTES ? tooLarge : { kind: 'json', text, bytes };
}

/** What is left of so many characters, at least; below 0 as soon as nothing is. */
function roomLeft(value: unknown, room: number, depth: number): number | 'too deep' {
  if (typeof value === 'string') return room - value.length;
  if (typeof value !== 'object' || value === null) return room - 1;
  if (depth === 0) return 'too deep';
  let left = room;
  for (const key of Object.keys(value)) {
    const after = roomLeft((value as Record<string, unknown>)[key], left - key.length, depth - 1);
    if (after === 'too deep' || after < 0) return after;
    left = after;
  }
  return left;
}

function problemOf(event: Readonly<Record<string, unknown>>): string | undefined {
  for (const attribute of REQUIRED) {
    const value = event[attribute];
    if (value === undefined || value === null || value === '') return `the event has no ${attribute}`;
    if (typeof value !== 'string') return `${attribute} of the event must be a text`;
  }
  const { id, time, data } = event;
  // Without it the backend would take the time of receipt, which an outage moves into another month.
  if (time === undefined || time === null || time === '') return 'the event has no time';
  if (typeof id !== 'string' || id === '') return 'id of the event must be a text';
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) {
    return 'time of the event must be an instant such as 2026-01-31T12:00:00Z';
  }
  if (data !== undefined && data !== null && !isObject(data)) return 'data of the event must be an object';
  return undefined;
}

function eventOf(
  item: Readonly<Record<string, unknown>>,
  index: number,
  count: number,
  name: string,
  record: SourceRecord,
): Readonly<Record<string, unknown>> {
  const event: Record<string, unknown> = { specversion: '1.0', ...item };
  // JSON and mappings leave out what has no value: then it has no id, or time, of its own.
  if (item['id'] === undefined || item['id'] === null) {
    const own = record.partsOf?.(item, index) ?? (count > 1 ? [String(index)] : []);
    event['id'] = idOf([name, ...record.parts, ...own]);
  }
  if (item['time'] === undefined || item['time'] === null) {
    const { at } = record;
    if (at !== undefined) event['time'] = at;
  }
  return event;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
