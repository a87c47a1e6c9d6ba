import { channelRoutes, createChannelsService } from '../notifications/channels/index.ts';
import { createSender, createWebhookTransport, type Transports } from '../notifications/deliveries/index.ts';
import { createInvoiceEvents } from '../notifications/invoice-events/index.ts';
import { createOutbox, expireNotifications, outboxRoutes } from '../notifications/outbox/index.ts';
import { createRulesService, namesOfRulesUsing, ruleRoutes } from '../notifications/rules/index.ts';
import type { Router } from '../platform/http/router.ts';
import { createSecretBox } from '../platform/secrets.ts';
import type { Billing } from './billing.ts';
import type { Parts } from './parts.ts';

/** An attempt takes no longer. Source: Svix. */
const TIMEOUT_MS = 15_000;

/** Who is told of what: the outbox, what is sent of it, channels, rules, and what they listen to. */
export function createNotifications(parts: Parts, { invoices }: Pick<Billing, 'invoices'>) {
  const { scope, notifications: settings = {} } = parts;
  const { allowedNetworks = [], timeoutMs = TIMEOUT_MS, secretsKeys = [] } = settings;
  const webhook = createWebhookTransport({ allowedNetworks, timeoutMs });
  const transports: Transports = { webhook };
  const channels = createChannelsService({
    scope,
    box: createSecretBox(secretsKeys),
    transports,
    mayDoWithoutTls: allowedNetworks.length > 0,
    rulesUsing: namesOfRulesUsing,
  });
  const outbox = createOutbox(scope, { openChannels: channels.openChannels });
  const rules = createRulesService({ scope, outbox, channels });
  const invoiceEvents = createInvoiceEvents({ rules, present: invoices.present });
  const sender = createSender(scope, {
    transports,
    channelOf: channels.opened,
    disable: async (id, reason, own) => {
      if (await channels.disable(id, reason, own))
        scope.log.warn({ channelId: id, reason }, 'a channel is switched off');
    },
    random: Math.random,
  });
  return {
    ...invoiceEvents,
    sender,
    close: webhook.close,
    expire: (days: number) => expireNotifications(scope, days),
    routes: (router: Router): void => {
      channelRoutes(router, channels);
      ruleRoutes(router, rules, outbox);
      outboxRoutes(router, outbox);
    },
  };
}

export type Notifications = ReturnType<typeof createNotifications>;
