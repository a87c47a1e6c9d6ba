import type { CustomerBillingService, ProfilesService } from '../billing-profiles/index.ts';
import type { ChargesDeps } from '../charges/index.ts';
import type { DocumentLimits } from './thread/document-maker.ts';

export interface DocumentsDeps extends Pick<ChargesDeps, 'findCurrency'> {
  /** What documents of an invoice say that is not issued yet. */
  documentOf: CustomerBillingService['documentOf'];
  storedProfile: ProfilesService['stored'];
  /** Of a profile, with its logo. */
  documentSettings: ProfilesService['documentSettings'];
  /** A folder with fonts of the operator's, for documents; undefined: there is none. */
  documentFontsDir: string | undefined;
  /** Of the thread that makes documents; undefined: its own. */
  documentLimits?: DocumentLimits | undefined;
}
