import { fieldOf, objectOf, textOf } from './json-values.ts';
import { headerOf, type LogEntry, queryArgumentOf, REDACTED_HEADERS } from './log-entry.ts';
import { CONSUMER_FIELDS, SUBJECT_SOURCES } from './schema.ts';

/** Where the subject of a usage event is found. Header names are in lower case. */
export interface SubjectLookup {
  readonly source: (typeof SUBJECT_SOURCES)[number];
  readonly field: string;
}

/** Who is billed, and how that was found out. */
export interface Subject {
  readonly value: string;
  /** `consumer_username`, `consumer_id`, `consumer_custom_id`, `header`, `query`, `application_id` … */
  readonly type: string;
}

/**
 * Reads the `subject` record. The Consumer's `username` is the default: it is what people see, and what customers are
 * keyed by.
 */
export function readSubjectLookup(value: unknown, problems: string[]): SubjectLookup | undefined {
  const record = objectOf(value);
  if (record === undefined && value !== undefined && value !== null) problems.push('subject must be a record');
  const source = SUBJECT_SOURCES.find((name) => name === (record?.['look_up_value_in'] ?? 'consumer'));
  if (source === undefined) {
    problems.push(`subject.look_up_value_in must be one of ${SUBJECT_SOURCES.join(', ')}`);
    return undefined;
  }
  const rawField = record?.['field'];
  const field = textOf(rawField);
  if (field === undefined && rawField !== undefined && rawField !== null) {
    problems.push('subject.field must be a string that is not empty');
  }
  switch (source) {
    case 'consumer':
      return { source, field: checkConsumerField(field ?? 'username', problems) };
    case 'application':
      return { source, field: field ?? 'id' };
    case 'header':
      return { source, field: checkHeader((field ?? '').toLowerCase(), problems) };
    case 'query':
      if (field === undefined) problems.push('subject.field is required when the subject is a query argument');
      return { source, field: field ?? '' };
  }
}

/** The subject of a request; `undefined` when the request names nobody. */
export function findSubject(lookup: SubjectLookup, entry: LogEntry): Subject | undefined {
  const { source, field } = lookup;
  switch (source) {
    case 'consumer':
    case 'application': {
      const value = identifierOf(fieldOf(objectOf(entry.fields[source]), field));
      return value === undefined ? undefined : { value, type: `${source}_${field}` };
    }
    case 'header':
    case 'query': {
      const value = source === 'header' ? headerOf(entry.request, field) : queryArgumentOf(entry.request, field);
      return value === undefined || value.trim() === '' || isUnreadable(value) ? undefined : { value, type: source };
    }
  }
}

/**
 * Our plugin server percent-encodes bytes that are no UTF-8. Others put one and the same character in the place of each,
 * which would bill several customers' requests to one of a name that nobody has.
 */
function isUnreadable(value: string): boolean {
  return value.includes('\uFFFD');
}

function checkConsumerField(field: string, problems: string[]): string {
  if (!CONSUMER_FIELDS.some((name) => name === field)) {
    problems.push(`subject.field must be one of ${CONSUMER_FIELDS.join(', ')} when the subject is the consumer`);
  }
  return field;
}

function checkHeader(name: string, problems: string[]): string {
  if (name === '') problems.push('subject.field is required when the subject is a header');
  if (REDACTED_HEADERS.includes(name)) problems.push(`subject.field cannot be ${name}: Kong hides it from its log`);
  return name;
}

/** An application is put into the log by another plugin, which may number its applications. */
function identifierOf(value: unknown): string | undefined {
  return Number.isSafeInteger(value) ? String(value) : textOf(value);
}
