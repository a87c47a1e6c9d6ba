import { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import { RequestProblem } from '../../../backend/platform/errors.ts';
import { labelsSchema, percentageSchema } from '../../../backend/platform/http/schemas.ts';
import { validate } from '../../../backend/platform/http/validation.ts';

const schema = z.strictObject({
  mode: z.enum(['one', 'two']),
  price: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('flat') }),
    z.strictObject({ type: z.literal('unit') }),
  ]),
  timing: z.union([z.enum(['now']), z.iso.datetime()]),
  discount: percentageSchema.optional(),
  labels: labelsSchema.optional(),
});
const VALID = { mode: 'one', price: { type: 'flat' }, timing: 'now' };

/** Field, rule and what belongs to the rule, of all that is wrong. */
function broken(changes: object): unknown[] {
  try {
    validate(schema, { ...VALID, ...changes }, 'body');
    return [];
  } catch (error) {
    if (!(error instanceof RequestProblem)) throw error;
    return error.invalidParameters.map(({ reason: _reason, source: _source, ...rest }) => rest);
  }
}

test.each([
  ['nothing', {}, []],
  ['a missing choice', { mode: undefined }, [{ field: 'mode', rule: 'required' }]],
  ['a choice of another type', { mode: 1 }, [{ field: 'mode', rule: 'type' }]],
  ['null for a choice', { mode: null }, [{ field: 'mode', rule: 'type' }]],
  ['another choice', { mode: 'three' }, [{ field: 'mode', rule: 'enum', choices: ['one', 'two'] }]],
  ['a missing union', { price: undefined }, [{ field: 'price', rule: 'required' }]],
  ['a missing tag', { price: {} }, [{ field: 'price.type', rule: 'required' }]],
  ['a tag of another type', { price: { type: 1 } }, [{ field: 'price.type', rule: 'type' }]],
  ['another tag', { price: { type: 'x' } }, [{ field: 'price.type', rule: 'enum', choices: ['flat', 'unit'] }]],
  ['a missing value of several types', { timing: undefined }, [{ field: 'timing', rule: 'required' }]],
  ['less than nothing', { discount: -1 }, [{ field: 'discount', rule: 'min', minimum: 0 }]],
  ['more than all', { discount: 100.5 }, [{ field: 'discount', rule: 'max', maximum: 100 }]],
  [
    'too many labels',
    { labels: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])) },
    [{ field: 'labels', rule: 'max_items', maximum: 50 }],
  ],
])('names field and rule: %s', (_name, changes, expected) => {
  expect(broken(changes)).toEqual(expected);
});
