import { create, type Json, send } from '../answers.ts';
import type { Answer, TestBackend } from '../backend.ts';
import { createMeter } from '../catalog/features.ts';

export function estimate(backend: TestBackend, body: unknown): Promise<Json> {
  return send(backend, 'POST', '/cost-estimates', body, 200);
}

/** A rate card with a key, a name and a price. */
export const card = (price: unknown, fields: Record<string, unknown> = {}) => ({
  key: 'api',
  name: 'API',
  price,
  ...fields,
});
export const unit = (amount: string) => ({ type: 'unit', amount });
export const flat = (amount: string) => ({ type: 'flat', amount });

/** Ours is no operation of the contract: its 400s name the field all the same. */
export const refused = (answer: Answer) => [
  answer.status,
  (answer.json.invalid_parameters ?? []).map(({ field }: Json) => field),
];

/** A meter "tokens" with the dimension model, a customer "acme" of alice and bob, and their usage of early 2026. */
export async function pastUsage(backend: TestBackend): Promise<{ meterId: string; customerId: string }> {
  const reading = { event_type: 'prompt', value_property: '$.tokens', dimensions: { model: '$.model' } };
  const { id: meterId } = await createMeter(backend, 'tokens', { name: 'Tokens', ...reading });
  const { id: customerId } = await create(backend, '/customers', {
    key: 'acme',
    name: 'Acme',
    usage_attribution: { subject_keys: ['alice', 'bob'] },
  });
  const event = (subject: string, time: string, tokens: number, model = 'large') => ({
    specversion: '1.0',
    id: `${subject}-${time}-${model}`,
    source: 'test',
    type: 'prompt',
    subject,
    time,
    data: { tokens, model },
  });
  const events = [
    event('alice', '2026-01-10T00:00:00Z', 600),
    event('bob', '2026-01-31T23:59:59.999Z', 900),
    event('carol', '2026-01-15T00:00:00Z', 77777),
    event('alice', '2026-01-15T00:00:00Z', 4000, 'small'),
    event('bob', '2026-02-01T00:00:00Z', 2500),
    event('alice', '2026-03-10T00:00:00Z', 100),
  ];
  await send(backend, 'POST', '/events', events, 202);
  return { meterId, customerId };
}
