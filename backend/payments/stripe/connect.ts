/** Connects an account of Stripe: whose key is it, and where does it send its events. */
import type Stripe from 'stripe';
import { type AppAccount, accountRefused, type Connection } from '../../billing/apps/index.ts';
import type { Logger } from '../../platform/log.ts';
import { outgoingRepository } from '../outgoing/index.ts';
import type { StripeAccounts } from './accounts.ts';
import { createStripeClient, isStripeFailure, type StripeSettings, withoutSecrets } from './client.ts';
import { stripeRepository } from './repository.ts';
import { WEBHOOK_EVENTS } from './webhook-events.ts';

export interface ConnectDeps {
  accounts: StripeAccounts;
  settings: StripeSettings;
  /** Without a key to seal with no key of Stripe is stored. */
  canSeal: boolean;
  /** Where Stripe reaches this server; undefined: it does not, and is asked now and then. */
  publicUrl: string | undefined;
  log: Logger;
}

const TEST_KEY = /^[sr]k_test_/;
const KEY = /^[sr]k_(?:test|live)_[A-Za-z0-9_]{8,}$/;

/** @param known of the app that gets another key: it stays with its account */
export async function connect(
  deps: ConnectDeps,
  appId: string,
  apiKey: string,
  known: AppAccount | undefined,
): Promise<Connection> {
  const field = known === undefined ? 'api_key' : 'secret_api_key';
  if (!deps.canSeal) {
    throw accountRefused('secrets_key_missing', field, 'a key of Stripe is stored sealed only: set SECRETS_KEY first');
  }
  if (!KEY.test(apiKey)) {
    throw accountRefused('stripe_key_malformed', field, 'must be a secret or restricted key of Stripe: sk_…, rk_…');
  }
  const client = await createStripeClient(apiKey, deps.settings);
  const found = await asked(field, () => client.accounts.retrieveCurrent());
  const account: AppAccount = {
    accountId: found.id,
    livemode: !TEST_KEY.test(apiKey),
    maskedApiKey: `${apiKey.slice(0, 8)}***${apiKey.slice(-3)}`,
    status: 'ready',
  };
  if (known !== undefined && (known.accountId !== account.accountId || known.livemode !== account.livemode)) {
    const message = `must be a key of the same account (${known.accountId}) and mode: install another app for another one`;
    throw accountRefused('stripe_account_differs', field, message);
  }
  const endpoint = known === undefined ? await createEndpoint(deps, client, appId, field) : undefined;
  return {
    account,
    keep: async (scope) => {
      const secrets = stripeRepository(scope);
      await secrets.saveSecret(appId, 'api_key', deps.accounts.seal(appId, 'api_key', apiKey));
      if (endpoint?.secret !== undefined) {
        await secrets.saveSecret(appId, 'webhook_secret', deps.accounts.seal(appId, 'webhook_secret', endpoint.secret));
      }
      await outgoingRepository(scope).wakeApp(appId, scope.clock.nowMs());
    },
    undo: async () => {
      if (endpoint !== undefined) await deleteEndpoint(deps, client, endpoint.id);
    },
  };
}

/** Its secret is told this once. */
async function createEndpoint(
  deps: ConnectDeps,
  client: Stripe,
  appId: string,
  field: string,
): Promise<Stripe.WebhookEndpoint | undefined> {
  if (deps.publicUrl === undefined) return undefined;
  const url = webhookUrl(deps.publicUrl, appId);
  return asked(field, () =>
    client.webhookEndpoints.create(
      {
        url,
        enabled_events: [...WEBHOOK_EVENTS],
        api_version: client.getApiField('version') as Stripe.WebhookEndpointCreateParams.ApiVersion,
        description: 'Metering and billing',
        metadata: { om_app_id: appId },
      },
      { idempotencyKey: `${appId}:webhook_endpoint` },
    ),
  );
}

function webhookUrl(publicUrl: string, appId: string): string {
  return `${publicUrl}/v3/openmeter/apps/${appId}/stripe/webhook`;
}

/** Endpoints of the app go with it; those that are gone already, or whose key is not taken any more, hold nothing up. */
export async function disconnect(deps: ConnectDeps, appId: string): Promise<void> {
  if (deps.publicUrl === undefined) return;
  const url = webhookUrl(deps.publicUrl, appId);
  try {
    const client = await deps.accounts.clientOf(appId);
    for await (const endpoint of client.webhookEndpoints.list({ limit: 100 })) {
      if (endpoint.url === url) await deleteEndpoint(deps, client, endpoint.id);
    }
  } catch (error) {
    deps.log.warn({ appId, err: withoutSecrets(String(error)) }, 'the webhook endpoint could not be removed in Stripe');
  }
}

async function deleteEndpoint(deps: ConnectDeps, client: Stripe, id: string): Promise<void> {
  await client.webhookEndpoints.del(id).catch((error: unknown) => {
    deps.log.warn({ id, err: withoutSecrets(String(error)) }, 'the webhook endpoint could not be removed in Stripe');
  });
}

async function asked<Result>(field: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (!isStripeFailure(error)) throw error;
    throw accountRefused('stripe_key_refused', field, `Stripe does not take it: ${withoutSecrets(error.message)}`);
  }
}
