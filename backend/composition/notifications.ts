import { channelRoutes, createChannelsService } from '../notifications/channels/index.ts';
import { createSender, createWebhookTransport, type Transports } from '../notifications/deliveries/index.ts';
import { createEntitlementEvents } from '../notifications/entitlement-events/index.ts';
import { createInvoiceEvents } from '../notifications/invoice-events/index.ts';
import { createOutbox, expireNotifications, outboxRoutes } from '../notifications/outbox/index.ts';
import { createRulesService, namesOfRulesUsing, ruleRoutes } from '../notifications/rules/index.ts';
import type { Router } from '../platform/http/router.ts';
import { createSecretBox } from '../platform/secrets.ts';
import type { Billing } from './billing.ts';
import type { Catalog } from './catalog.ts';
import type { CustomersArea } from './customers.ts';
import type { Parts } from './parts.ts';

/** An attempt takes no longer. Source: Svix. */
const TIMEOUT_MS = 15_000;

interface Below extends Pick<CustomersArea, 'customers' | 'entitlements'> {
  billing: Pick<Billing, 'invoices'>;
  catalog: Pick<Catalog, 'features'>;
}

/** Who is told of what: the outbox, what is sent of it, channels, rules, and what they listen to. */
export function createNotifications(parts: Parts, { billing, catalog, customers, entitlements }: Below) {
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
  const rules = createRulesService({
    scope,
    outbox,
    channels,
    livingFeatures: async (ids, own) => {
      const found = await catalog.features.findByIds(ids, own);
      return new Set([...found].flatMap(([id, { deleted_at }]) => (deleted_at === undefined ? [id] : [])));
    },
  });
  const entitlementEvents = createEntitlementEvents(scope, {
    rules,
    readings: entitlements.readings,
    customers: customers.getMany,
    findBySubjects: customers.findBySubjects,
  });
  const invoiceEvents = createInvoiceEvents({ rules, present: billing.invoices.present });
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
    onEvents: entitlementEvents.onEvents,
    thresholds: entitlementEvents,
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
