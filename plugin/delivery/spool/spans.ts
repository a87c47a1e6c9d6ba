import type { Segment } from './segments.ts';

/** Part of a segment whose events are on disk only. */
export interface Span {
  readonly segment: Segment;
  at: number;
  end: number;
  /** Events in it; undefined when nobody has counted them. */
  events: number | undefined;
  /** The place is within bytes that are no record. */
  isInDamage: boolean;
}

export interface Forgotten {
  readonly events: number;
  readonly uncounted?: { readonly from: number; readonly until: number };
}

/** Where the events are that are on disk only, oldest first. */
export class Spans {
  readonly #spans: Span[] = [];
  #events = 0;

  get isEmpty(): boolean {
    return this.#spans.length === 0;
  }

  /** Events in them, as far as they have been counted. */
  get events(): number {
    return this.#events;
  }

  get first(): Span | undefined {
    return this.#spans[0];
  }

  of(segment: Segment): Span[] {
    return this.#spans.filter((span) => span.segment === segment);
  }

  /** One more event, at the end of what has been written. */
  append(segment: Segment, start: number, end: number): void {
    const last = this.#spans.at(-1);
    this.#events++;
    if (last?.segment === segment && last.end === start && last.events !== undefined) {
      last.end = end;
      last.events++;
    } else this.#spans.push({ segment, at: start, end, events: 1, isInDamage: false });
  }

  /** A file whose events nobody has counted. */
  appendFile(segment: Segment, until: number, from = 0): void {
    this.#spans.push({ segment, at: from, end: until, events: undefined, isInDamage: false });
  }

  /** So many events of a span are no longer on disk only. */
  count(span: Span, number: number): void {
    if (span.events === undefined) return;
    span.events -= number;
    this.#events -= number;
  }

  drop(span: Span): void {
    const index = this.#spans.indexOf(span);
    if (index >= 0) this.#spans.splice(index, 1);
    this.count(span, span.events ?? 0);
  }

  /** Drops all of a segment. */
  forget(segment: Segment): Forgotten {
    const before = this.#events;
    const forgotten = this.of(segment);
    const file = forgotten.find((span) => span.events === undefined);
    for (const span of forgotten) this.drop(span);
    return { events: before - this.#events, ...(file && { uncounted: { from: file.at, until: file.end } }) };
  }
}
