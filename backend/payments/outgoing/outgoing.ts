/** Apps whose invoices stand in another system as well: what is to be done there, and who does it. */
import type { App } from '../../billing/apps/index.ts';
import type { Invoice } from '../../billing/invoice-records/index.ts';
import type { InvoiceChange, InvoicesDeps } from '../../billing/invoices/index.ts';
import type { TrackJob } from '../../platform/job-log.ts';
import type { Scope } from '../../platform/scope.ts';
import { askForWork } from './follow-invoice.ts';
import type { JournalDeps } from './journal.ts';
import type { PaymentApp } from './port.ts';
import { outgoingRepository } from './repository.ts';
import type { Task } from './types.ts';
import { workOnInvoice } from './work-on-invoice.ts';
import { createWorker, type Worker } from './worker.ts';

export interface Outgoing extends Worker {
  /** Inside the transaction of the change. */
  onInvoice(change: InvoiceChange, scope: Scope): Promise<void>;
  /** Works from now on whenever something is due. @returns ends it */
  schedule(track: TrackJob): () => Promise<void>;
}

export interface OutgoingDeps extends Pick<JournalDeps, 'describe' | 'translate'> {
  invoices: InvoicesDeps;
  /** By type. */
  apps: Partial<Record<App['type'], PaymentApp>>;
  findApp(id: string, scope: Scope): Promise<App | undefined>;
  pausedApps(): Promise<readonly string[]>;
  pause(appId: string): Promise<void>;
}

/** A look at one indexed row. */
const LOOK_EVERY_MS = 2000;

export function createOutgoing(scope: Scope, deps: OutgoingDeps): Outgoing {
  const isRemote = ({ appType }: Invoice) => deps.apps[appType] !== undefined;
  const appOf = async ({ appId }: Task): Promise<PaymentApp | undefined> => {
    const app = await deps.findApp(appId, scope);
    return app && deps.apps[app.type];
  };
  const worker = createWorker(scope, {
    ...deps,
    perform: async (task, journal) => {
      const app = await appOf(task);
      if (app === undefined) return undefined;
      if (task.kind !== 'customer') return workOnInvoice(scope, deps.invoices, app, { task, journal });
      await app.followCustomer(task, journal);
      return undefined;
    },
  });
  return {
    ...worker,
    onInvoice: (change, scope) => askForWork(change, isRemote, scope),
    schedule: (track) => {
      const look = async () => {
        const dueMs = await outgoingRepository(scope).nextDueMs();
        if (dueMs !== undefined && dueMs <= scope.clock.nowMs()) await track('payment-apps', worker.work);
      };
      const timer = setInterval(() => {
        look().catch((error: unknown) => scope.log.error({ err: error }, 'payment apps could not be worked with'));
      }, LOOK_EVERY_MS);
      return async () => {
        clearInterval(timer);
        await worker.stop();
      };
    },
  };
}
