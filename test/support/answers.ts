import { expect } from 'vitest';
import type { Answer, TestBackend } from './backend.ts';

export const UNKNOWN_ID = '01HZZZZZZZZZZZZZZZZZZZZZZZ';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and each was held against the contract
export type Json = any;

/** Asks, and expects this status. @returns what came */
export async function send(t: TestBackend, method: string, path: string, body: unknown, status: number): Promise<Json> {
  const answer: Answer = await t.request(method, path, body === undefined ? {} : { body });
  expect({ path, status: answer.status, problem: answer.status === status ? '' : answer.text }).toEqual({
    path,
    status,
    problem: '',
  });
  return answer.json;
}

/** Creates one of what stands at the path. */
export const create = (t: TestBackend, path: string, body: unknown): Promise<Json> => send(t, 'POST', path, body, 201);

/** The fields that a 400 names, with their rules. */
export const refused = (answer: Answer): string[] =>
  (answer.json?.invalid_parameters ?? []).map(({ field, rule }: Json) => `${field} ${rule}`);

/** The codes that a problem lists. */
export const codes = (answer: Answer): string[] =>
  (answer.json?.extensions?.validationErrors ?? []).map(({ code }: Json) => code);

/** The one code that a refusal carries. */
export const codeOf = (json: Json): string => json.extensions.validationErrors[0].code;

/** Code and field of what a draft lists. */
export const issues = (resource: Json): string[] =>
  (resource.validation_errors ?? []).map(({ code, field }: Json) => `${code} ${field}`);
