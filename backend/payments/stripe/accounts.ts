/** Keys of installed apps, and the clients that use them. */
import type Stripe from 'stripe';
import type { Scope } from '../../platform/scope.ts';
import type { SecretBox } from '../../platform/secrets.ts';
import { AppUnauthorized } from '../outgoing/index.ts';
import { createStripeClient, type StripeSettings } from './client.ts';
import { createPace, type Pace } from './pace.ts';
import { stripeRepository } from './repository.ts';

export type SecretName = 'api_key' | 'webhook_secret';

export interface StripeAccounts {
  /** The client of an app, and the turn to wait for before each call. @throws AppUnauthorized when its key cannot be read */
  clientOf(appId: string): Promise<Stripe>;
  /** undefined: Stripe was not told where to send events. */
  webhookSecret(appId: string): Promise<string | undefined>;
  seal(appId: string, name: SecretName, secret: string): string;
}

const purpose = (appId: string, name: SecretName) => `app ${appId} ${name}`;
/** An operator has a handful of accounts. */
const MAX_CLIENTS = 50;

export function createStripeAccounts(scope: Scope, box: SecretBox, settings: StripeSettings): StripeAccounts {
  const clients = new Map<string, { sealed: string; client: Stripe; pace: Pace }>();
  const open = async (appId: string, name: SecretName): Promise<{ sealed: string; secret: string } | undefined> => {
    const sealed = await stripeRepository(scope).secret(appId, name);
    return sealed === undefined ? undefined : { sealed, secret: box.open(purpose(appId, name), sealed) };
  };
  return {
    clientOf: async (appId) => {
      const key = await open(appId, 'api_key');
      if (key === undefined) throw new AppUnauthorized(`app ${appId} has no key`);
      const known = clients.get(appId);
      const isSame = known?.sealed === key.sealed;
      const entry = isSame
        ? known
        : {
            sealed: key.sealed,
            client: await createStripeClient(key.secret, settings),
            pace: createPace(settings.callsPerSecond),
          };
      if (clients.size > MAX_CLIENTS) clients.clear();
      clients.set(appId, entry);
      await entry.pace();
      return entry.client;
    },
    webhookSecret: async (appId) => (await open(appId, 'webhook_secret'))?.secret,
    seal: (appId, name, secret) => box.seal(purpose(appId, name), secret),
  };
}
