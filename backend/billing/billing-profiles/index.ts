export {
  type BilledCustomer,
  type CustomerBillingService,
  createCustomerBilling,
} from './customer-billing.ts';
export { PROFILE_OF_CUSTOMER_SQL, profileRepository as billingProfilesOf, type StoredProfile } from './repository.ts';
export { customerBillingRoutes, profileRoutes } from './routes.ts';
export {
  type AdjustmentSettings,
  appReferenceSchema,
  type BillingProfile,
  profileReferenceSchema,
} from './schema.ts';
export { createProfilesService, type ProfileHooks, type ProfilesService } from './service.ts';
export { type InvoiceSupplier, invoiceSupplierSchema, type Supplier } from './supplier-schema.ts';
export { invoiceInvoicingSchema, type PaymentSettings, paymentSchema, type Workflow } from './workflow-schema.ts';

/** The profile that is there from the first start on; the same id in every installation. */
export const FIRST_PROFILE_ID = '01JD0000000000000000000002';
