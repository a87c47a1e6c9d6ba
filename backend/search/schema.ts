import { z } from '@hono/zod-openapi';
import { dateTimeSchema } from '../platform/http/schemas.ts';

/** In the order of the answer. */
export const SEARCHED_KINDS = [
  'customer',
  'subscription',
  'invoice',
  'plan',
  'addon',
  'feature',
  'meter',
  'event',
] as const;
export type SearchedKind = (typeof SEARCHED_KINDS)[number];

const foundSchema = z.strictObject({
  id: z.string(),
  name: z.string().openapi({ description: "An invoice's number, an event's subject, the name of anything else." }),
  key: z.string().optional(),
  version: z.int().optional().openapi({ description: 'Of a plan or an add-on.' }),
  customer: z
    .strictObject({ id: z.string(), name: z.string() })
    .optional()
    .openapi({ description: 'Whose subscription or invoice it is.' }),
  source: z.string().optional().openapi({ description: 'Of an event: ids are unique within their source.' }),
  time: dateTimeSchema.optional().openapi({ description: 'Of an event.' }),
});
export type Found = z.output<typeof foundSchema>;

export const searchAnswerSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        kind: z.enum(SEARCHED_KINDS),
        items: z.array(foundSchema),
        has_more: z.boolean().openapi({ description: 'More of this kind were found than the limit lets pass.' }),
      }),
    ),
  })
  .openapi('SearchAnswer', { description: 'Kinds of which nothing was found are absent.' });
export type SearchAnswer = z.output<typeof searchAnswerSchema>;
