/** Messages on their way: who sends which when, what a receiver made of it, and how each type of channel is sent to. */
export { repeat } from './pacing.ts';
export { createSender, type Sender, type SenderDeps } from './sender.ts';
export type { Message, SendersChannel, Sent, Target, Transports, WebhookTarget } from './types.ts';
export { headersProblem } from './webhook/headers.ts';
export { createWebhookTransport, type WebhookOptions } from './webhook/transport.ts';
