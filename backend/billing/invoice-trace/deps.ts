import type { UsageStore } from '../../metering/usage-store/index.ts';
import type { InvoicesDeps } from '../invoices/index.ts';

export interface TraceDeps extends InvoicesDeps {
  /** From figures back to their events. */
  tracing: Pick<UsageStore, 'eventsBehind' | 'lateEvents' | 'typesSeen' | 'subjectsSeen'>;
}
