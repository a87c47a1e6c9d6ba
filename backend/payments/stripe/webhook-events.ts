/** The events that Stripe is asked to send: each is a reason to look, none is believed. */
export const WEBHOOK_EVENTS = [
  'setup_intent.succeeded',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.overdue',
  'invoice.marked_uncollectible',
  'invoice.voided',
  'invoice.finalization_failed',
  'invoice.sent',
  'invoice.updated',
  'invoice.deleted',
] as const;
