/** The outbox: what has happened and who is told, written in the transaction in which it happens. */
export { expireNotifications } from './expire.ts';
export { outboxRepository } from './repository.ts';
export { outboxRoutes } from './routes.ts';
export { eventSchema } from './schema.ts';
export { createOutbox, type Outbox, payloadText } from './service.ts';
export type { ClaimedDelivery, NewEvent, QueueState, Settled } from './types.ts';
