import { expect } from 'vitest';
import type { Answer, TestBackend } from '../../../support/backend.ts';

export const UNKNOWN_ID = '01HZZZZZZZZZZZZZZZZZZZZZZZ';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and each was held against the contract
export type Json = any;

/** Creates a meter with its dimensions named after their fields; the aggregation is sum unless told. */
export async function createMeter(backend: TestBackend, key: string, fields: Record<string, unknown> = {}) {
  const answer = await backend.request('POST', '/meters', {
    body: {
      key,
      name: key,
      aggregation: 'sum',
      event_type: key,
      ...(fields['aggregation'] !== 'count' && { value_property: '$.value' }),
      dimensions: { route: '$.route', model: '$.model', provider: '$.provider', type: '$.type' },
      ...fields,
    },
  });
  expect(answer).toMatchObject({ status: 201 });
  return answer.json;
}

export async function createFeature(
  backend: TestBackend,
  key: string,
  fields: Record<string, unknown> = {},
): Promise<Json> {
  const answer = await backend.request('POST', '/features', { body: { key, name: key, ...fields } });
  expect(answer).toMatchObject({ status: 201 });
  return answer.json;
}

/** The fields that a 400 names, with their rules. */
export const refused = (answer: Answer) =>
  (answer.json?.invalid_parameters ?? []).map(({ field, rule }: Json) => `${field} ${rule}`);
