/** What Stripe tells. An event says what to look at; what is so is asked. */
import { invoiceRepository } from '../../billing/invoice-records/index.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { outgoingRepository } from '../outgoing/index.ts';
import type { StripeAccounts } from './accounts.ts';
import { stripeRepository } from './repository.ts';

export interface StripeWebhook {
  /**
   * Takes an event: each once, also of types that nobody knows here.
   * @param raw as it came
   * @throws RequestProblem 404 for an app that is none, 400 for a signature that is wrong or old
   */
  take(appId: string, raw: string, signature: string | undefined): Promise<void>;
}

/** Events are repeated for three days at most. */
const KEEP_EVENTS_MS = 30 * 86_400_000;
/** An event that was signed longer ago may be one that somebody has kept. */
const TOLERANCE_S = 300;

interface ReceivedEvent {
  id: string;
  type: string;
  data: { object: { object?: string; id?: string; metadata?: Record<string, string> | null } };
}

export function createStripeWebhook(scope: Scope, accounts: StripeAccounts): StripeWebhook {
  return {
    take: async (appId, raw, signature) => {
      const secret = await accounts.webhookSecret(appId);
      if (secret === undefined) throw notFound('app', appId);
      const event = await verified(raw, signature, secret, scope.clock.nowMs());
      await scope.transaction(async (scope) => {
        const nowMs = scope.clock.nowMs();
        if (!(await stripeRepository(scope).takeEvent(appId, event, nowMs))) return;
        await stripeRepository(scope).forgetEventsBefore(nowMs - KEEP_EVENTS_MS);
        await askToLook(scope, appId, event);
      });
    },
  };
}

async function verified(
  raw: string,
  signature: string | undefined,
  secret: string,
  nowMs: number,
): Promise<ReceivedEvent> {
  const { default: Client } = await import('stripe');
  try {
    return Client.webhooks.constructEvent(
      raw,
      signature ?? '',
      secret,
      TOLERANCE_S,
      undefined,
      nowMs,
    ) as unknown as ReceivedEvent;
  } catch {
    throw new RequestProblem('bad-request', 'the signature of the event is wrong or too old');
  }
}

/** What is not of this app, or of nothing here, is taken and not followed. */
async function askToLook(scope: Scope, appId: string, { type, data: { object } }: ReceivedEvent): Promise<void> {
  const metadata = object.metadata ?? {};
  const nowMs = scope.clock.nowMs();
  if (type === 'setup_intent.succeeded') {
    const customerId = metadata['om_customer_id'];
    if (customerId === undefined || metadata['om_app_id'] !== appId || object.id === undefined) return;
    const content = { setup_intent: object.id };
    await outgoingRepository(scope).ask({ subjectId: customerId, appId, kind: 'customer', content }, nowMs);
    return;
  }
  const invoiceId = metadata['om_invoice_id'];
  if (object.object !== 'invoice' || invoiceId === undefined) return;
  const invoice = await invoiceRepository(scope).byId(invoiceId);
  if (invoice?.appId !== appId) return;
  await outgoingRepository(scope).ask({ subjectId: invoiceId, appId, kind: 'invoice', content: {} }, nowMs);
}
