import type { Fields } from './log.ts';

/** Enough to find the mistake; a batch of a thousand wrong events would list a thousand parameters. */
const MAX_PARAMETERS = 3;
const MAX_PART_LENGTH = 80;
const MAX_DETAIL_LENGTH = 200;

/**
 * What an `application/problem+json` answer (RFC 9457) says, for a log line: `detail`, and `invalid_parameters` as
 * "field rule: reason". Only these are read, so that an answer quoting the request does not bring the event's content
 * into the log. `scrub` removes secrets from a text; it runs before the text is cut, since half a token is one as well.
 * Empty when the body is not such a problem.
 */
export function problemFields(excerpt: string | undefined, scrub: (text: string) => string): Fields {
  return problemFieldsOf(parseObject(excerpt), scrub);
}

/** The same of a problem, or part of one, that has been parsed. */
export function problemFieldsOf(problem: Readonly<Record<string, unknown>>, scrub: (text: string) => string): Fields {
  const text = (value: unknown, maxLength: number) =>
    typeof value === 'string' ? scrub(value).slice(0, maxLength) : '';
  const parameterText = (parameter: unknown) => {
    if (!isObject(parameter)) return '';
    const { field, rule, reason } = parameter;
    const named = joined(' ', text(field, MAX_PART_LENGTH), text(rule, MAX_PART_LENGTH));
    return joined(': ', named, text(reason, MAX_PART_LENGTH));
  };
  const detail = text(problem['detail'], MAX_DETAIL_LENGTH);
  const listed = problem['invalid_parameters'];
  const parameters = Array.isArray(listed) ? listed.slice(0, MAX_PARAMETERS).map(parameterText).join('; ') : '';
  return { ...(detail !== '' && { detail }), ...(parameters !== '' && { invalid_parameters: parameters }) };
}

function joined(separator: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(separator);
}

function parseObject(excerpt: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(excerpt ?? '');
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
