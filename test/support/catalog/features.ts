import { create, type Json } from '../answers.ts';
import type { TestBackend } from '../backend.ts';

/** Creates a meter with its dimensions named after their fields; the aggregation is sum unless told. */
export function createMeter(t: TestBackend, key: string, fields: Record<string, unknown> = {}): Promise<Json> {
  return create(t, '/meters', {
    key,
    name: key,
    aggregation: 'sum',
    event_type: key,
    ...(fields['aggregation'] !== 'count' && { value_property: '$.value' }),
    dimensions: { route: '$.route', model: '$.model', provider: '$.provider', type: '$.type' },
    ...fields,
  });
}

export const createFeature = (t: TestBackend, key: string, fields: Record<string, unknown> = {}): Promise<Json> =>
  create(t, '/features', { key, name: key, ...fields });

/** A feature with a meter of its own, which reads events whose type is its key. */
export async function createMeteredFeature(
  t: TestBackend,
  key: string,
  aggregation: 'count' | 'sum' = 'count',
): Promise<Json> {
  const meter = await createMeter(t, key, { aggregation });
  return createFeature(t, key, { meter: { id: meter.id } });
}

/** Features that rate cards refer to: one with a meter, one without. Their keys are the cards' keys. */
export interface Catalog {
  /** Key "requests", counted. */
  requests: Json;
  /** Key "sso", static. */
  sso: Json;
}

export async function createCatalog(t: TestBackend): Promise<Catalog> {
  return { requests: await createMeteredFeature(t, 'requests'), sso: await createFeature(t, 'sso') };
}
