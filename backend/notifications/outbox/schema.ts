import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { DELIVERY_STATES } from './types.ts';

export type EventFilterField =
  | 'id'
  | 'type'
  | 'created_at'
  | 'rule_id'
  | 'channel_id'
  | 'delivery_status'
  | 'subject'
  | 'feature';
export type EventSortField = 'created_at' | 'id' | 'type';

const stateSchema = z.enum(DELIVERY_STATES).openapi('NotificationDeliveryState');

const attemptSchema = z
  .strictObject({
    state: stateSchema,
    response: z.strictObject({
      status_code: z.int().optional(),
      body: z.string(),
      duration_ms: z.int(),
    }),
    timestamp: dateTimeSchema,
  })
  .openapi('NotificationDeliveryAttempt');

const deliveryStatusSchema = z
  .strictObject({
    channel_id: ulidSchema,
    state: stateSchema,
    reason: z.string(),
    updated_at: dateTimeSchema,
    next_attempt: dateTimeSchema.optional(),
    attempts: z.array(attemptSchema),
  })
  .openapi('NotificationDeliveryStatus');

export const eventSchema = z
  .strictObject({
    id: ulidSchema,
    type: z.string(),
    created_at: dateTimeSchema,
    rule: z.strictObject({ id: ulidSchema, type: z.string(), name: z.string() }),
    delivery_status: z.array(deliveryStatusSchema),
    /** What is sent; the type of the event says of what shape its data is. */
    payload: z.record(z.string(), z.unknown()),
    annotations: z.record(z.string(), z.string()).optional(),
  })
  .openapi('NotificationEvent');
export type EventBody = z.input<typeof eventSchema>;

export const eventPageSchema = z
  .strictObject({ data: z.array(eventSchema), meta: pageMetaSchema })
  .openapi('NotificationEventPagePaginatedResponse');
export type EventPage = z.input<typeof eventPageSchema>;

/** A rule has at most five channels. */
const MAX_CHANNELS = 5;

export const resendSchema = z
  .strictObject({
    channels: z
      .array(z.strictObject({ id: ulidSchema }))
      .max(MAX_CHANNELS)
      .optional(),
  })
  .openapi('NotificationEventResendRequest');
export type Resend = z.output<typeof resendSchema>;
