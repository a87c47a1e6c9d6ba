import { createTestBackend, type TestBackend } from '../backend.ts';
import { createFeature, createMeter } from '../catalog/features.ts';

/** A backend with features on two meters, and customers made as they are needed. */
export interface EntitlementsUnderTest {
  readonly backend: TestBackend;
  /** Counts events of type `call`. */
  readonly calls: { id: string; key: string };
  /** Adds up `tokens` of events of type `prompt`. */
  readonly tokens: { id: string; key: string };
  /** A feature without a meter. */
  readonly flag: { id: string; key: string };
  newCustomer(subjectKeys?: readonly string[]): Promise<{ id: string; key: string }>;
  /** Stores events of the subject. @param at RFC 3339 */
  use(type: 'call' | 'prompt', subject: string, at: string, count?: number, tokens?: string): Promise<void>;
  post(path: string, body: unknown, status?: number): ReturnType<TestBackend['request']>;
  get(path: string, status?: number): ReturnType<TestBackend['request']>;
}

export async function startEntitlements(start = '2026-03-10T10:00:00Z'): Promise<EntitlementsUnderTest> {
  const backend = await createTestBackend({ start });
  let next = 0;
  const checked = async (answer: Awaited<ReturnType<TestBackend['request']>>, status: number) => {
    if (answer.status !== status) throw new Error(`answered ${answer.status} instead of ${status}: ${answer.text}`);
    return answer;
  };
  const post: EntitlementsUnderTest['post'] = async (path, body, status = 201) =>
    checked(await backend.request('POST', path, { body }), status);
  const metered = async (key: string, meterKey: string, reading: Record<string, unknown>) =>
    createFeature(backend, key, { meter: { id: (await createMeter(backend, meterKey, reading)).id } });
  return {
    backend,
    calls: await metered('api_calls', 'calls', { event_type: 'call', aggregation: 'count' }),
    tokens: await metered('llm_tokens', 'tokens', { event_type: 'prompt', value_property: '$.tokens' }),
    flag: await createFeature(backend, 'sso'),
    newCustomer: async (subjectKeys) => {
      const key = `customer-${++next}`;
      const body = { name: key, key, ...(subjectKeys && { usage_attribution: { subject_keys: subjectKeys } }) };
      return { id: (await post('/customers', body)).json.id as string, key };
    },
    use: async (type, subject, at, count = 1, tokens) => {
      const events = Array.from({ length: count }, () => ({
        specversion: '1.0',
        id: `event-${++next}`,
        source: 'test',
        type,
        subject,
        time: at,
        data: tokens === undefined ? {} : { tokens },
      }));
      const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
      await checked(await backend.request('POST', '/events', { rawBody: JSON.stringify(events), headers }), 202);
    },
    post,
    get: async (path, status = 200) => checked(await backend.request('GET', path), status),
  };
}
